import {
  circuitRelayServer,
  type CircuitRelayServerComponents,
  type CircuitRelayService
} from '@libp2p/circuit-relay-v2'
import type { Libp2pEvents, TypedEventTarget } from '@libp2p/interface'
import type { RelaySettings } from '../options/settings.ts'

/** How many relayed connections one peer may receive at a time. */
const maxRelayed = 32

type Components = CircuitRelayServerComponents & { readonly events: TypedEventTarget<Libp2pEvents> }

/**
 * A relay (circuit relay v2): pages reserve a slot, and others reach them through it for long enough to signal a WebRTC
 * connection.
 */
export function relayService({
  reservations,
  maxBytes,
  maxDuration
}: RelaySettings): (components: Components) => CircuitRelayService {
  return (components) => {
    const server = circuitRelayServer({
      reservations: {
        maxReservations: reservations,
        defaultDataLimit: BigInt(maxBytes),
        defaultDurationLimit: maxDuration
      },
      maxOutboundStopStreams: maxRelayed
    })(components)
    // A slot belongs to a connected peer (circuit relay v2, "Reservation"), but the engine keeps it for two hours. If
    // as many pages as there are slots were opened and closed, nobody could reserve a slot any more.
    components.events.addEventListener('peer:disconnect', ({ detail }) => {
      server.reservations.get(detail)?.signal.clear()
      server.reservations.delete(detail)
    })
    return server
  }
}
