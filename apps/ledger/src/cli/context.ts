import { resolve } from 'node:path'
import { readApiFile } from '../node/api-file.ts'
import { apiPathOf, type Home, openHome } from '../node/home.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import { openNode, openOffline } from '../run/open-node.ts'
import { RemoteLedger } from '../service/remote.ts'
import type { LedgerService } from '../service/service.ts'
import { Activity } from '../run/activity.ts'
import type { Log, LogLevel } from '../log.ts'
import type { Output } from './output.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly dir: string
  readonly json?: boolean | undefined
  readonly backend?: string | undefined
  /** Default: `info` for a node that runs, `warn` for a command. */
  readonly logLevel?: LogLevel | undefined
}

export interface CommandContext {
  readonly options: GlobalOptions
  readonly output: Output
  /** To stderr, as everything that is no result. */
  readonly log: Log
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal
}

/** `content`: the command stores or fetches content, so that it needs the folder's own backend when no node runs. */
export type Need = 'entries' | 'content'

/** Gives the running node of the folder, or opens the folder for the time of one command. */
export async function withLedger<T>(
  context: CommandContext,
  need: Need,
  body: (service: LedgerService, home: Home) => Promise<T>
): Promise<T> {
  const path = resolve(context.options.dir)
  const home = await openHome(path)
  const running = await findRunning(path, home)
  if (running !== undefined) return await body(running, home)
  const node = await openFor(context, need, home)
  try {
    return await body(node, home)
  } finally {
    await node.stop()
  }
}

/**
 * A file may be left over from a node that was killed, and its process id and port be another's by now, even another node's:
 * who does not answer as the account of this folder does not run here.
 */
async function findRunning(path: string, home: Home): Promise<LedgerService | undefined> {
  const access = await readApiFile(apiPathOf(path))
  if (access === undefined) return undefined
  const remote = new RemoteLedger(access)
  try {
    const { account, genesis } = await remote.status({ signal: AbortSignal.timeout(5_000) })
    return account === home.identity.id && genesis === home.genesis.cid.toString() ? remote : undefined
  } catch {
    return undefined
  }
}

async function openFor(context: CommandContext, need: Need, home: Home): Promise<LedgerNode> {
  if (need === 'entries') return await openOffline(home)
  const { log, signal, options } = context
  return await openNode(home, {
    backend: options.backend,
    activity: new Activity(log),
    signal,
    onWarning: (message) => {
      log('warn', message)
    }
  })
}
