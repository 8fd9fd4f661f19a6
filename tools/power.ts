// The program behind `node launch.mjs power`:
//   --losses N [--seed N] [--record]   as root: the real server works on a file system whose power goes at any moment,
//                                      is started again, and asked for everything that it had acknowledged
//   --replay N [--seed N] [--record]   a recorded life of the server, its writes dropped, torn and out of order in N ways
import { powerCampaign } from '../test/faults/campaign.ts'
import { runCampaign, runReplays } from './campaigns.ts'

if (process.argv.some((argument) => argument.startsWith('--replay'))) await runReplays()
else
  await runCampaign({
    what: 'power loss',
    unit: 'losses',
    count: 'losses',
    byDefault: 20,
    run: powerCampaign,
  })
