import type { Connection } from '@libp2p/interface'
import type { HeliaNode } from '../src/index.ts'

/** As a pulled cable: nothing passes on the connections that there are, and no new one is made. Gives what ends it. */
export function cut({ engine }: HeliaNode): () => void {
  if (engine === undefined) return () => {}
  const { components } = engine.libp2p as unknown as { components: { connectionGater: object } }
  const { connectionGater } = components
  const before = { ...connectionGater }
  const heals = engine.libp2p.getConnections().map(silence)
  const onOpen = ({ detail }: CustomEvent<Connection>): void => void heals.push(silence(detail))
  engine.libp2p.addEventListener('connection:open', onOpen)
  Object.assign(connectionGater, { denyDialMultiaddr: () => true, denyInboundConnection: () => true })
  return () => {
    engine.libp2p.removeEventListener('connection:open', onOpen)
    Object.assign(connectionGater, before)
    for (const heal of heals) heal()
  }
}

/** What was lost leaves the connection unusable afterwards: both sides notice by what follows. */
function silence(connection: Connection): () => void {
  const { maConn } = connection as unknown as { maConn: Record<string, unknown> }
  maConn['sendData'] = ({ byteLength }: { byteLength: number }) => ({ sentBytes: byteLength, canSendMore: true })
  maConn['onData'] = () => {}
  // Those of its class are there again.
  return () => {
    delete maConn['sendData']
    delete maConn['onData']
  }
}
