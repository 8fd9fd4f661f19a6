// The program behind `node launch.mjs kill [--rounds N] [--seed N] [--record]`: the real server under a mixed load is
// killed at any moment, started again, and asked for everything that it had acknowledged.
import { killCampaign } from '../test/faults/campaign.ts'
import { runCampaign } from './campaigns.ts'

await runCampaign({ what: 'kill -9', unit: 'rounds', count: 'rounds', byDefault: 50, run: killCampaign })
