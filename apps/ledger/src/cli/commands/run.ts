import { errorMessage } from '@p2pl/core/backend'
import { once } from 'node:events'
import { exitCodes } from '@p2pl/cli/tools'
import { LedgerError } from '../../errors.ts'
import { runNode } from '../../run/run-node.ts'
import type { PeerView } from '../../service/views.ts'
import { errorFields } from '../../log.ts'
import { readApiFile } from '../../node/api-file.ts'
import { type CommandContext, isTaken, openFolder, taken } from '../context.ts'

interface RunOptions {
  readonly port: number
  readonly listen?: readonly string[] | undefined
  readonly connect?: readonly string[] | undefined
  readonly beaconPeriod?: number | undefined
  readonly trace?: boolean | undefined
}

export async function run(context: CommandContext, options: RunOptions): Promise<number> {
  const { output, log, signal } = context
  const peers = (options.connect ?? []).map(parsePeer)
  const home = await openFolder(context)
  const running = await runNode(home, {
    backend: context.options.backend,
    listen: options.listen,
    port: options.port,
    beaconPeriod: options.beaconPeriod,
    trace: options.trace,
    log,
    logCalls: context.options.logLevel === 'debug',
    signal,
    onWarning: (message) => {
      log('warn', message)
    }
  }).catch(async (error: unknown) => {
    if (!isTaken(error, home)) throw error
    const other = await readApiFile(home.apiPath)
    if (other === undefined) throw await taken(home)
    throw new LedgerError('UNAVAILABLE', `a node runs in ${home.path} already, as process ${other.pid}: end it first`)
  })
  try {
    if (!running.node.keepsDocuments) log('warn', 'this backend keeps documents only as long as the process runs')
    // A peer that is currently offline is dialled again while this node runs.
    for (const peer of peers)
      running.node.connect(peer).catch((error: unknown) => {
        log('warn', errorMessage(error), { peer: peer.id, ...errorFields(error) })
      })
    const { self, account, entries } = await running.node.status()
    output.result({ url: running.api.url, account, entries, self, pid: process.pid }, () => [
      `api      ${running.api.url}/v1/status`,
      `account  ${account}, ${entries} entries`,
      ...self.flatMap(({ network, id, addresses }) =>
        addresses.map((address) => `peer     ${network}:${id}@${address}`)
      ),
      'running until Ctrl-C'
    ])
    if (!signal.aborted) await once(signal, 'abort')
    return exitCodes.ok
  } finally {
    await running.stop()
  }
}

function parsePeer(text: string): PeerView {
  const { network, id, address } = /^(?<network>[a-z0-9-]+):(?<id>[^@]+)@(?<address>.+)$/.exec(text)?.groups ?? {}
  if (network === undefined || id === undefined || address === undefined)
    throw new LedgerError('INVALID_ARGUMENT', '--connect must look like network:id@address, as "run" prints it')
  return { network, id, addresses: [address] }
}
