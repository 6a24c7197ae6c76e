import { once } from 'node:events'
import type { Backends } from '@p2pl/config'
import { createPeer, isP2plError, type Peer, P2plError } from '@p2pl/core'
import { withFields } from '@p2pl/core/backend'
import { type Chosen, chooseNetwork, makeBackends } from './choose.ts'
import type { CommandContext } from './context.ts'
import { meet } from './meet.ts'
import { type RunningPeer, RunningPeers } from './running.ts'
import { describeError, type Output } from './tools/index.ts'

/**
 * `store`: the command changes what is stored, and has the folder for itself. `cache`: it reads, and does without the
 * folder if another process has it. `nothing`: it keeps nothing on disk.
 */
export type Need = 'store' | 'cache' | 'nothing'

export interface SessionOptions {
  readonly need: Need
  /** For a command that keeps running: other processes of this user then find its peer, and see which topics it is on. */
  readonly stays?: Pick<RunningPeer, 'command' | 'topics'> | undefined
}

/** A peer that runs for the duration of one command. */
export interface Session {
  readonly peer: Peer
  readonly backends: Backends
  /** In the syntax of `--backend`. */
  readonly name: string
}

/** Starts a peer, connects it, and stops it when the body is done. */
export async function withPeer<T>(
  context: CommandContext,
  { need, stays }: SessionOptions,
  body: (session: Session) => Promise<T>
): Promise<T> {
  const chosen = await chooseNetwork(context)
  const running = new RunningPeers(context.options.dir)
  const { peer, backends } = await open(context, chosen, need, running)
  let remove = async (): Promise<void> => undefined
  try {
    // Registered before it looks for others: of two processes that start at the same time, at least one finds the other.
    if (stays !== undefined) {
      remove = await running.add({ ...stays, self: peer.network.self() }).catch((error: unknown) => {
        context.output.note(
          `warning: your other terminals do not find this peer by themselves: ${describeError(error).message}`
        )
        return remove
      })
    }
    await meet(context, peer, running)
    return await body({ peer, backends, name: chosen.name })
  } finally {
    await remove()
    await peer.stop()
  }
}

/** Serves other peers until Ctrl-C. */
export async function serve({ output, signal }: CommandContext, peer: Peer): Promise<void> {
  sayWhere(output, 'serving', peer)
  if (!signal.aborted) await once(signal, 'abort')
}

/** Tells the user what a running command does, and how other peers reach it. */
export function sayWhere(output: Output, doing: string, peer: Peer): void {
  const addresses = addressesOf(peer)
  output.note(`${doing} until Ctrl-C; other machines reach this peer with --connect ${addresses[0] ?? '…'}`, {
    addresses
  })
}

/** The addresses that others pass to `--connect`. */
export function addressesOf(peer: Peer): string[] {
  return peer.network.self().flatMap(({ addresses }) => addresses)
}

interface Opened {
  readonly peer: Peer
  readonly backends: Backends
}

async function open(context: CommandContext, chosen: Chosen, need: Need, running: RunningPeers): Promise<Opened> {
  try {
    return await start(context, chosen, need)
  } catch (error) {
    if (!isFolderTaken(error, chosen)) throw error
    if (need === 'store') throw await taken(error, chosen.folder, running)
    return await start(context, chosen, 'nothing')
  }
}

async function start({ options, output, signal }: CommandContext, chosen: Chosen, need: Need): Promise<Opened> {
  const backends = await makeBackends(chosen, {
    dir: need === 'nothing' ? undefined : chosen.folder,
    listen: options.listen,
    onWarning:
      need === 'store' || options.listen !== undefined ? (message) => output.note(`warning: ${message}`) : undefined
  })
  const ms = options.timeout === undefined ? undefined : options.timeout * 1_000
  const peer = await createPeer({
    ...backends,
    signal,
    onEvent: (event) => {
      if (event.type === 'warning') output.note(`warning: ${event.message}`)
    },
    timeouts: ms === undefined ? {} : { get: ms, put: ms, publish: ms, subscribe: ms, routing: ms, store: ms }
  })
  return { peer, backends }
}

/** A port in use is also `LOCKED`, but its error names no folder. */
export function isFolderTaken(error: unknown, { folder }: Chosen): error is P2plError {
  return isP2plError(error, 'LOCKED') && error.message.includes(folder)
}

/** The error for a folder that another process uses. */
export async function taken(cause: P2plError, folder: string, running: RunningPeers): Promise<P2plError> {
  const others = await running.list()
  const known = others.map(({ pid, command }) => `process ${pid} (p2pl ${command})`).join(', ')
  const message = `another process uses ${folder}${known === '' ? '' : `, probably ${known}`}: end it first, or choose another folder with --dir`
  return new P2plError({ code: 'LOCKED', cause, message })
}

/** If content is not found and no other peer is connected, the error says how to reach one. */
export async function hinted<T>(peer: Peer, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isP2plError(error, 'NOT_FOUND') && !isP2plError(error, 'TIMEOUT')) throw error
    const connections = await peer.network.connections().catch(() => undefined)
    if (connections === undefined || connections.length > 0) throw error
    const hint = 'name a peer that has it with --connect <address>, as "p2pl add --stay" prints it'
    throw withFields(error, { message: `${error.message}; ${hint}` })
  }
}
