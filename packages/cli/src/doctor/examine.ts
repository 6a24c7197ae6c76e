import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Backends } from '@p2pl/config'
import { createPeer, isP2plError } from '@p2pl/core'
import { type Chosen, chooseNetwork, makeBackends } from '../choose.ts'
import type { CommandContext } from '../context.ts'
import { meet } from '../meet.ts'
import { RunningPeers } from '../running.ts'
import { isFolderTaken, taken } from '../session.ts'
import { type Check, failed, ok } from './check.ts'
import { checkClock, serversOf } from './clock.ts'
import { checkDisk } from './disk.ts'
import { checkNetwork } from './network.ts'
import { checkRuntime } from './runtime.ts'

/** All checks, in the order in which a peer starts. Consequences of a fault are not examined. */
export async function* examine(context: CommandContext, timeFrom: string | undefined): AsyncGenerator<Check> {
  const { options } = context
  yield checkRuntime()
  const servers = timeFrom === undefined ? [] : [timeFrom]
  const chosen = await chooseNetwork(context).catch((error: unknown) =>
    failed('configuration', error, 'correct --backend, the variables P2PL_… or the configuration file')
  )
  if ('status' in chosen) {
    yield chosen
    yield await checkDisk(resolve(options.dir))
    yield await checkClock(servers, resolve(options.dir))
    return
  }
  yield ok(
    'configuration',
    `${chosen.name}, by ${chosen.config.file ?? 'the command line, the environment or the default'}`
  )
  const disk = await checkDisk(chosen.folder)
  yield disk
  yield await checkClock([...servers, ...serversOf(chosen.config)], chosen.folder)
  yield* examineBackend(context, chosen, disk.status !== 'fail')
}

async function* examineBackend(context: CommandContext, chosen: Chosen, folderWorks: boolean): AsyncGenerator<Check> {
  const { options, signal } = context
  // Creates nothing if nothing exists yet.
  const dir =
    folderWorks && (await stat(chosen.folder).catch(() => undefined)) !== undefined ? chosen.folder : undefined
  let backends: Backends
  try {
    backends = await makeBackends(chosen, { dir, listen: options.listen })
  } catch (error) {
    yield failed(
      'backend',
      error,
      isP2plError(error, 'MISSING_DEPENDENCY') ? undefined : 'correct the options of the backend'
    )
    return
  }
  yield ok('backend', `${chosen.name} is installed, and takes its options`)
  const { checkDaemons } = await import('./daemon.ts')
  const daemons = await checkDaemons(chosen.config, signal)
  yield* daemons
  if (daemons.some(({ status }) => status === 'fail')) return
  yield* examineRunning(context, chosen, backends, daemons.length > 0)
}

/** Starts the peer, and examines its network. */
async function* examineRunning(
  context: CommandContext,
  chosen: Chosen,
  backends: Backends,
  hasDaemon: boolean
): AsyncGenerator<Check> {
  const { options, signal } = context
  const running = new RunningPeers(options.dir)
  const begun = performance.now()
  const peer = await createPeer({ ...backends, signal }).catch(
    async (error: unknown) => await whyNotStarted(error, chosen, running)
  )
  if ('status' in peer) {
    yield peer
    return
  }
  try {
    yield ok('start', `the peer starts in ${Math.round(performance.now() - begun)} ms`)
    const { output } = context
    await meet({ ...context, output: { ...output, note: () => undefined } }, peer, running)
    const checks = await checkNetwork(peer, backends, context)
    // The daemon's own checks report its peers.
    yield* hasDaemon ? checks.filter(({ name, status }) => name !== 'peers' || status !== 'warn') : checks
  } finally {
    await peer.stop()
  }
}

async function whyNotStarted(error: unknown, chosen: Chosen, running: RunningPeers): Promise<Check> {
  if (isFolderTaken(error, chosen)) return failed('folder', await taken(error, chosen.folder, running))
  if (!isP2plError(error, 'LOCKED')) return failed('start', error)
  return failed(
    'port',
    error,
    'end the process that has the port, or choose another one in "listen"; port 0 takes any free one'
  )
}
