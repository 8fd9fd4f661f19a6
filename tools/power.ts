// The program behind `node launch.mjs power [--losses N] [--seed N] [--record]`, as root: the real server works on a
// file system whose power goes at any moment, is started again, and asked for everything that it had acknowledged.
import { powerCampaign } from '../test/faults/campaign.ts'
import { runCampaign } from './campaigns.ts'

await runCampaign({ what: 'power loss', unit: 'losses', count: 'losses', byDefault: 20, run: powerCampaign })
