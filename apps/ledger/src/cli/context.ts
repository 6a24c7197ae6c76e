import { resolve } from 'node:path'
import type { Output } from '@p2pl/cli/tools'
import { isP2plError } from '@p2pl/core'
import { LedgerError } from '../errors.ts'
import { readApiState } from '../node/api-file.ts'
import { type Home, openHome } from '../node/home.ts'
import { permissionWarnings } from '../node/permissions.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import { openNode, openOffline } from '../run/open-node.ts'
import { RemoteLedger } from '../service/remote.ts'
import type { LedgerService } from '../service/service.ts'
import { Activity } from '../run/activity.ts'
import type { Log, LogLevel } from '../log.ts'

/** Options that all commands accept. */
export interface GlobalOptions {
  readonly dir: string
  readonly json?: boolean | undefined
  readonly backend?: string | undefined
  /** Default: `info` for a running node, `warn` for a command. */
  readonly logLevel?: LogLevel | undefined
}

export interface CommandContext {
  readonly options: GlobalOptions
  readonly output: Output
  /** Writes to stderr, like everything that is not a result. */
  readonly log: Log
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal
}

/** `content`: the command stores or fetches content, so it needs the folder's own backend when no node runs. */
export type Need = 'entries' | 'content'

/** Uses the running node of the folder, or opens the folder for a single command. */
export async function withLedger<T>(
  context: CommandContext,
  need: Need,
  body: (service: LedgerService, home: Home) => Promise<T>
): Promise<T> {
  const home = await openFolder(context)
  const running = await findRunning(home)
  if (running !== undefined) return await body(running, home)
  const node = await openFor(context, need, home).catch(async (error: unknown) => {
    throw isTaken(error, home) ? await taken(home) : error
  })
  try {
    return await body(node, home)
  } finally {
    await node.stop()
  }
}

/** The folder of the command. Warns about permissions that other users of this machine should not have. */
export async function openFolder({ options, log }: CommandContext): Promise<Home> {
  const home = await openHome(resolve(options.dir))
  for (const warning of await permissionWarnings(home)) log('warn', warning)
  return home
}

/**
 * The file may be left over from a node that was killed. Its process id and port may belong to another process by now,
 * even to another node. So the answer must come from the account of this folder.
 */
async function findRunning(home: Home): Promise<LedgerService | undefined> {
  const found = await readApiState(home.apiPath)
  if (found.state !== 'ready') return undefined
  const remote = new RemoteLedger(found.access)
  try {
    const { account, genesis } = await remote.status({ signal: AbortSignal.timeout(5_000) })
    return account === home.identity.id && genesis === home.genesis.cid.toString() ? remote : undefined
  } catch {
    return undefined
  }
}

/** Whether the folder is in use. A port in use is also `LOCKED`, but its error says so. */
export function isTaken(error: unknown, home: Pick<Home, 'path'>): boolean {
  return isP2plError(error, 'LOCKED') && error.message.includes(home.path)
}

/** Says why the folder is in use although no node answers, if it can find out. */
export async function taken(home: Home): Promise<LedgerError> {
  const found = await readApiState(home.apiPath)
  const why = {
    starting: `a node is starting in ${home.path}: try again in a moment`,
    ready: `the node that runs in ${home.path} does not answer: try again, or end its process and start it again`,
    damaged: `${home.apiPath} is damaged, so the node that runs there cannot be reached: end its process and start it again`,
    none: `another process uses ${home.path}: a node that is starting or ending, or another command. Try again in a moment`
  }
  return new LedgerError('UNAVAILABLE', why[found.state])
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
