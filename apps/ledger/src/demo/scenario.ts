import { isLedgerError } from '../errors.ts'
import { type Branch, branches } from './accounts.ts'
import type { Crew } from './crew.ts'
import { feed, type FeedProgress, giveTask } from './feed.ts'
import type { Input, Task } from './input.ts'
import type { DemoNetwork } from './network.ts'
import { agrees, type Proof, prove } from './proof.ts'

export interface ScenarioEvents {
  /** A new part begins, or an event should be shown. */
  say(line: string): void
}

export interface ScenarioResult extends Proof {
  /** Milliseconds from the last acknowledged entry until all peers agreed. */
  readonly convergeMs: number
}

export type Progress = Readonly<Record<Branch, FeedProgress>>

const victim: Branch = 'cedar'
/** Somebody may kill peers during the proof, so it has several attempts. */
const mostAttempts = 5

/**
 * The demonstration: three peers are fed at once, one of them is killed and brought back, and in the end all have the
 * same root and the same balances. It does not know which network they use.
 */
export async function runScenario(
  crew: Crew,
  network: DemoNetwork,
  input: Input,
  progress: Progress,
  events: ScenarioEvents,
  signal: AbortSignal
): Promise<ScenarioResult> {
  await Promise.all(branches.map(async (name) => await crew.start(name)))
  const poller = poll(crew, signal)
  try {
    const expected = input.count + 1
    const before = branches.map((name) => crew.status(name)?.entries ?? 0)
    const complete = before.every((entries) => entries >= expected)
    events.say(network.resumed ? resumedLine(before, complete) : 'all peers are up; feeding begins')
    const feeding = Promise.all(
      branches.map(async (name) => {
        await feed(crew, name, input.tasks[name], progress[name], signal, network.resumed)
      })
    )
    // A failure of the feed must also end the wait for its progress.
    await Promise.race([
      Promise.all([feeding, complete ? undefined : disturb(crew, input, progress, events, signal)]),
      feeding.then(never)
    ])
    if (network.resumed) events.say(fedLine(progress))
    const tried = await giveTask(crew, victim, secondSpend(network), signal)
    if (tried) events.say(`${victim} tried to use its number 0 twice: every peer must reject that`)
    const lastWrite = performance.now()
    for (let attempts = 1; ; attempts++) {
      await crew.until('all peers agree', () => agrees(crew, expected), signal)
      const convergeMs = Math.round(performance.now() - lastWrite)
      events.say('all peers agree; checking balances, documents and the root')
      try {
        return { ...(await prove(crew, input, network.accounts, expected)), convergeMs }
      } catch (error) {
        if (!isLedgerError(error, 'UNAVAILABLE') || attempts === mostAttempts) throw error
        events.say(`a peer ended meanwhile (${error.message}): once more when it is back`)
      }
    }
  } finally {
    poller.stop()
  }
}

function resumedLine(before: readonly number[], complete: boolean): string {
  const counts = branches.map((name, i) => `${name} ${before[i] ?? 0}`).join(', ')
  const rest = complete ? 'all was written in an earlier start, and is checked again' : 'what is missing is fed'
  return `all peers are back with the entries of an earlier start (${counts}); ${rest}`
}

function fedLine(progress: Progress): string {
  const of = (count: (one: FeedProgress) => number): number =>
    branches.reduce((sum, name) => sum + count(progress[name]), 0)
  const [total, known] = [of(({ total: all }) => all), of(({ known: there }) => there)]
  return `${known} of ${total} tasks were done in an earlier start, ${total - known} are done now; nothing was written twice`
}

async function disturb(
  crew: Crew,
  input: Input,
  progress: Progress,
  events: ScenarioEvents,
  signal: AbortSignal
): Promise<void> {
  await takeDownFirst(crew, progress, events, signal)
  await killAndReturn(crew, input, progress, events, signal)
}

/**
 * If the peers have several backends, the first backend of each peer is stopped. A peer that is restarted later uses it
 * again, and is alone there.
 */
async function takeDownFirst(
  crew: Crew,
  progress: Progress,
  events: ScenarioEvents,
  signal: AbortSignal
): Promise<void> {
  const [first, second] = crew.status(victim)?.backends ?? []
  if (first === undefined || second === undefined) return
  await crew.until(
    'feeding',
    () => branches.every((name) => progress[name].done >= Math.floor(progress[name].total / 4)),
    signal
  )
  await Promise.all(crew.peers().map(async ({ ledger }) => await ledger.useBackend(first.name, false, { signal })))
  events.say(`${first.name} was taken down at every peer; the ledger goes on over ${second.name}`)
}

async function killAndReturn(
  crew: Crew,
  input: Input,
  progress: Progress,
  events: ScenarioEvents,
  signal: AbortSignal
): Promise<void> {
  const half = (name: Branch): number => Math.floor(progress[name].total / 2)
  await crew.until('feeding', () => progress[victim].done >= half(victim), signal)
  const before = Object.fromEntries(branches.map((name) => [name, progress[name].done]))
  await crew.running(victim, signal)
  await crew.kill(victim)
  events.say(
    `${victim} was killed (${crew.killing}) after ${progress[victim].done} of ${progress[victim].total} entries`
  )
  // It comes back once it has missed something.
  await crew.until(
    'the others go on',
    () =>
      branches.every(
        (name) => name === victim || progress[name].done >= Math.min((before[name] ?? 0) + 20, progress[name].total)
      ),
    signal
  )
  await crew.start(victim)
  events.say(`${victim} is back with what it had on disk`)
  // A backend without persistence loses documents that no peer copied in time. For other backends this does nothing.
  for (const task of input.tasks[victim]) if (task.type === 'record') await giveTask(crew, victim, task, signal)
}

/** A second entry with a number that is already used. */
function secondSpend(network: DemoNetwork): Task & { sequence: number } {
  return {
    type: 'transfer',
    reference: 'spent-twice',
    to: network.accounts.alder,
    amount: 1n,
    memo: 'the same number again',
    sequence: 0
  }
}

/** Asks the peers for their statuses until it is stopped. */
export function poll(crew: Crew, signal: AbortSignal, pauseMs = 200): { stop(): void } {
  let stopped = false
  const round = async (): Promise<void> => {
    await Promise.allSettled(crew.peers().map(async ({ name }) => await crew.refresh(name)))
    if (!stopped && !signal.aborted) setTimeout(() => void round(), pauseMs)
  }
  void round()
  return {
    stop: () => {
      stopped = true
    }
  }
}

async function never(): Promise<never> {
  return await new Promise<never>(() => undefined)
}
