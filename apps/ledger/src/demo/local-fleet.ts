import { openHome } from '../node/home.ts'
import { runNode } from '../run/run-node.ts'
import { RemoteLedger } from '../service/remote.ts'
import type { Fleet, FleetOptions } from './fleet.ts'

/**
 * All peers in this process, for the memory backend, whose network ends with the process. A peer is killed by closing
 * it between two requests, whatever is in progress.
 */
export function localFleet(options: FleetOptions): Fleet {
  return {
    description: 'one process',
    killing: 'closed at once',
    start: async (name) => {
      const running = await runNode(await openHome(options.folderOf(name)), {
        backend: options.backendOf(name),
        port: options.portOf(name),
        beaconPeriod: options.beaconPeriod
      })
      const { url, token } = running.api
      const stop = async (): Promise<void> => {
        await running.stop()
      }
      return { name, url, ledger: new RemoteLedger({ url, token }), kill: stop, stop }
    }
  }
}
