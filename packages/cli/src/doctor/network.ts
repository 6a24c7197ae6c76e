import type { Backends } from '@p2pl/config'
import type { Peer, PeerInfo } from '@p2pl/core'
import { firstConnections } from '../connections.ts'
import type { CommandContext } from '../context.ts'
import { describeError } from '../tools/index.ts'
import { type Check, ok } from './check.ts'

/** Time limit for each bootstrap peer, in milliseconds. */
const timeout = 5_000

/** Whether each bootstrap peer answers, and whether there is any peer at all. */
export async function checkNetwork(peer: Peer, backends: Backends, context: CommandContext): Promise<Check[]> {
  const bootstrap = Object.values(backends).flatMap(({ routing }) => routing?.bootstrap ?? [])
  const answers = await Promise.all(bootstrap.map(async (one) => await checkBootstrap(peer, one, context.signal)))
  const checks = answers.some(({ status }) => status === 'ok')
    ? // One way into the network is enough.
      answers.map((check): Check => (check.status === 'fail' ? { ...check, status: 'warn' } : check))
    : answers
  return [...checks, await checkPeers(peer, bootstrap.length + (context.options.connect?.length ?? 0), context)]
}

async function checkBootstrap(peer: Peer, info: PeerInfo, signal: AbortSignal): Promise<Check> {
  const where = info.addresses[0] ?? info.id
  try {
    await peer.network.connect(info, { signal, timeout })
    return ok('bootstrap', `${where} answers`)
  } catch (error) {
    return {
      name: 'bootstrap',
      status: 'fail',
      message: `the bootstrap peer ${where} does not answer: ${describeError(error).message}`,
      fix: 'start that peer, or correct its address in "bootstrap" (for bittorrent "peers") of the configuration'
    }
  }
}

async function checkPeers(peer: Peer, expected: number, context: CommandContext): Promise<Check> {
  const connections = await firstConnections(peer, context)
  if (connections.length > 0) return ok('peers', `connected to ${connections.length}`)
  return {
    name: 'peers',
    status: expected > 0 ? 'fail' : 'warn',
    message:
      expected > 0
        ? 'no peer: not one of those that were named answers'
        : 'no peer: this one knows no other, so its messages and its content reach nobody',
    fix:
      expected > 0
        ? 'start one of them, or correct the addresses'
        : 'name one with --connect or as "bootstrap" in the configuration ("p2pl peers" on its machine prints its address)'
  }
}
