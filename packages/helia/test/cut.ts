import type { Connection, ConnectionGater } from '@libp2p/interface'
import type { HeliaNode } from '../src/index.ts'

/** What the instances have beyond the published interface: whatever the transport is. */
interface Wire {
  readonly maConn: {
    sendData(data: { readonly byteLength: number }): unknown
    onData(data: unknown): void
  }
}

/** As a pulled cable: nothing passes on the connections that there are, and no new one is made. Gives what ends it. */
export function cut({ engine }: HeliaNode): () => void {
  if (engine === undefined) return () => {}
  const { connectionGater } = (engine.libp2p as unknown as { components: { connectionGater: ConnectionGater } })
    .components
  const { denyDialMultiaddr, denyInboundConnection } = connectionGater
  const heals = engine.libp2p.getConnections().map(silence)
  const onOpen = ({ detail }: CustomEvent<Connection>): void => void heals.push(silence(detail))
  engine.libp2p.addEventListener('connection:open', onOpen)
  connectionGater.denyDialMultiaddr = () => true
  connectionGater.denyInboundConnection = () => true
  return () => {
    engine.libp2p.removeEventListener('connection:open', onOpen)
    Object.assign(connectionGater, { denyDialMultiaddr, denyInboundConnection })
    for (const heal of heals) heal()
  }
}

/** What was lost leaves the connection unusable afterwards: both sides notice by what follows. */
function silence(connection: Connection): () => void {
  const { maConn } = connection as unknown as Wire
  const { sendData, onData } = maConn
  maConn.sendData = ({ byteLength }) => ({ sentBytes: byteLength, canSendMore: true })
  maConn.onData = () => {}
  return () => Object.assign(maConn, { sendData, onData })
}
