// The command line of the campaigns: how many, from which seed, and what is told at the end.
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { CampaignOptions, CampaignResult } from '../test/faults/campaign.ts'
import { replayCampaign } from '../test/faults/replays.ts'
import { recordProof } from './proofs.ts'

export interface Campaign {
  /** As it is named in test/proofs.tsv. */
  readonly what: string
  readonly unit: string
  /** The option that says how many. */
  readonly count: string
  readonly byDefault: number
  run(options: CampaignOptions): Promise<CampaignResult>
}

/** Runs it as the command line says; a failure makes the exit status 1 and keeps its folder. */
export async function runCampaign(campaign: Campaign): Promise<void> {
  const { values } = parseArgs({
    options: {
      [campaign.count]: { type: 'string' },
      seed: { type: 'string' },
      record: { type: 'boolean' },
    },
  })
  const rounds = wholeNumber(campaign.count, textOf(values[campaign.count]), campaign.byDefault)
  const seed = wholeNumber('seed', textOf(values.seed), randomInt(2 ** 31))
  const base = fs.mkdtempSync(path.join(os.tmpdir(), `hikyaku-${campaign.count}-`))
  console.log(`seed ${seed}, in ${base}`)
  const say = (line: string): void => console.log(line)
  const result = await campaign.run({ rounds, seed, base, say })
  const { acknowledged, doubles, deaths, failures, seconds } = result
  const rate = (seconds / result.rounds).toFixed(2)
  say(
    `${result.rounds} ${campaign.unit} in ${seconds.toFixed(0)} s (${rate} s each): ${acknowledged} acknowledged, ` +
      `${doubles} sent out twice; ${deaths.start} went at their start, ${deaths.load} under load, ` +
      `${deaths.call} at a chosen call to the disk; ${failures.length} failures`,
  )
  if (values.record === true)
    recordProof({
      what: campaign.what,
      count: result.rounds,
      unit: campaign.unit,
      seconds,
      seeds: String(seed),
      found: failures.length,
    })
  if (failures.length > 0) process.exitCode = 1
  else fs.rmSync(base, { recursive: true, force: true })
}

/** `power --replay N`: disk states of recorded lives. */
export async function runReplays(): Promise<void> {
  const { values } = parseArgs({
    options: { replay: { type: 'string' }, seed: { type: 'string' }, record: { type: 'boolean' } },
  })
  const states = wholeNumber('replay', values.replay, 1_000)
  const seed = wholeNumber('seed', values.seed, randomInt(2 ** 31))
  // In memory where there is room for it: thousands of small folders are made and removed.
  const memory = '/dev/shm'
  const base = fs.mkdtempSync(path.join(fs.existsSync(memory) ? memory : os.tmpdir(), 'hikyaku-replay-'))
  console.log(`seed ${seed}, in ${base}`)
  const say = (line: string): void => console.log(line)
  const { failures, seconds, states: done } = await replayCampaign({ states, seed, base, say })
  for (const failure of failures) say(`FAIL  ${failure}`)
  say(`${done} states in ${seconds.toFixed(0)} s, ${failures.length} failures`)
  const found = failures.length
  if (values.record === true)
    recordProof({ what: 'writes replayed', count: done, unit: 'states', seconds, seeds: String(seed), found })
  if (found > 0) process.exitCode = 1
  else fs.rmSync(base, { recursive: true, force: true })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function wholeNumber(name: string, text: string | undefined, byDefault: number): number {
  const number = Number(text ?? byDefault)
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`--${name} wants a whole number`)
  return number
}
