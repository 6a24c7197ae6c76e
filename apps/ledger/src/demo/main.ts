import { once } from 'node:events'
import { join } from 'node:path'
import { explained, flushOutput } from '@p2pl/cli/tools'
import { describeError } from '../errors.ts'
import type { Api } from '../http/listener.ts'
import { checkBackend } from '../node/backend.ts'
import { type Branch, branches } from './accounts.ts'
import { Crew } from './crew.ts'
import type { FeedProgress } from './feed.ts'
import type { FleetOptions } from './fleet.ts'
import { prepareDaemons } from './daemon.ts'
import { readInput } from './input.ts'
import { localFleet } from './local-fleet.ts'
import { prepareNetwork } from './network.ts'
import { addressOf, openPage } from './page.ts'
import { backendFor, type DemoOptions, listenAddresses, parseOptions, usage } from './options.ts'
import { processFleet } from './process-fleet.ts'
import { poll, type Progress, runScenario } from './scenario.ts'
import { createScreen } from './screen.ts'

async function demonstrate(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const started = performance.now()
  for (const name of branches) await checkBackend(backendFor(options.backend, name))
  // Each backend has a separate folder, because backends do not share content.
  const network = await prepareNetwork(join(options.dir, `demo-${options.backend.replaceAll(/[^a-z0-9-]+/gi, '_')}`))
  const input = await readInput(network.accounts)
  const progress = progressOf(input.tasks)
  const daemons = await prepareDaemons(options.backend)
  const fleetOptions: FleetOptions = {
    folderOf: (name) => network.folderOf(name),
    backendOf: (name) => backendFor(options.backend, name),
    portOf: (name) => (options.port === 0 ? 0 : options.port + branches.indexOf(name)),
    listenOf: (name) =>
      listenAddresses(
        backendFor(options.backend, name),
        options.listenPort === 0 ? 0 : options.listenPort + branches.indexOf(name)
      ),
    envOf: (name) => daemons.envFor(backendFor(options.backend, name), network.folderOf(name)),
    beaconPeriod: 500
  }
  const crew = new Crew(options.backend === 'memory' ? localFleet(fleetOptions) : processFleet(fleetOptions))
  const screen = createScreen(crew, progress, process.stdout)
  const say = (line: string): void => screen.say(line)
  crew.keepAlive(say)
  const page = options.once
    ? undefined
    : await openPage({ crew, port: options.port === 0 ? 0 : options.port + branches.length, say, signal })
  say(`ledger ${network.genesis} in ${options.dir}`)
  say(`three peers on ${options.backend}, in ${crew.description}; ${input.count} entries to write`)
  const line = { peers: branches.length, backend: options.backend }
  try {
    const result = await Promise.race([
      runScenario(crew, network, input, progress, screen, signal),
      // Ctrl-C does not wait for peers that are still starting: they end with this process.
      once(signal, 'abort').then(() => signal.throwIfAborted() as never)
    ])
    const seconds = Math.round((performance.now() - started) / 100) / 10
    say(
      `proved: ${result.entries} entries, ${result.rejected} of them rejected by all alike, same root and same balances ` +
        `${result.convergeMs} ms after the last write; ${result.verified} entries verified from the root alone`
    )
    if (page !== undefined) await keepRunning(crew, page, say, signal)
    screen.close()
    if (options.once) process.stdout.write(`${JSON.stringify({ ok: true, ...line, ...result, seconds })}\n`)
    return 0
  } catch (thrown) {
    const error = explained(thrown)
    const { code, message } = describeError(error)
    const failure = `failed: ${message} (${code})`
    // Before the last lines of stdout, so that those lines come last when both streams go to the same place.
    if (!signal.aborted) {
      if (process.stdout.isTTY) say(failure)
      else process.stderr.write(`${failure}\n`)
    }
    screen.close()
    if (signal.aborted) return 130
    if (process.env['P2PL_DEBUG'] !== undefined) console.error(error)
    if (options.once) process.stdout.write(`${JSON.stringify({ ok: false, ...line, error: { code, message } })}\n`)
    return 1
  } finally {
    await page?.close()
    await crew.stop()
  }
}

async function keepRunning(crew: Crew, page: Api, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  say('the peers keep running until Ctrl-C; one that ends is started again. Look at them:')
  say(`  all    ${addressOf(page)}`)
  for (const { name, url } of crew.peers()) say(`  ${name}  curl ${url}/v1/status`)
  const poller = poll(crew, signal, 1_000)
  if (!signal.aborted) await once(signal, 'abort')
  poller.stop()
  say('stopping')
}

function progressOf(tasks: Readonly<Record<Branch, readonly unknown[]>>): Progress {
  const of = (name: Branch): FeedProgress => ({ done: 0, known: 0, total: tasks[name].length })
  return { alder: of('alder'), birch: of('birch'), cedar: of('cedar') }
}

async function main(signal: AbortSignal): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2))
    if (options.help) {
      console.log(usage)
      return 0
    }
    return await demonstrate(options, signal)
  } catch (thrown) {
    const error = explained(thrown)
    const { code: kind, message } = describeError(error)
    const wrongUsage = kind === 'INVALID_ARGUMENT'
    process.stderr.write(`${message}\n${wrongUsage ? `\n${usage}\n` : ''}`)
    return wrongUsage ? 2 : 1
  }
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())
const code = await main(stop.signal)
await flushOutput(stop.signal)
process.exit(code)
