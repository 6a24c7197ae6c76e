import type { Connection, Libp2pEvents } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { pageLinks } from '../src/runtime/page-links.ts'

/** Stands in for the DTLS transport of a connection, which only a browser has. */
class Transport extends EventTarget {
  state = 'connected'

  end(): void {
    this.state = 'closed'
    this.dispatchEvent(new Event('statechange'))
  }
}

/** A connection over the transport is opened. The errors that it is aborted with from then on. */
function opened(transport: Transport): Error[] {
  const aborts: Error[] = []
  const connection = {
    abort: (error: Error) => void aborts.push(error),
    maConn: { peerConnection: { sctp: { transport } } }
  } as unknown as Connection
  const events = new EventTarget()
  pageLinks({
    events: events as unknown as Parameters<typeof pageLinks>[0]['events'],
    connectionManager: { getConnections: () => [] }
  })
  events.dispatchEvent(
    new CustomEvent<Libp2pEvents['connection:open']['detail']>('connection:open', { detail: connection })
  )
  return aborts
}

it('gives up a connection when the other side says good-bye', () => {
  const transport = new Transport()
  const aborts = opened(transport)
  expect(aborts).toEqual([])
  transport.end()
  expect(aborts).toHaveLength(1)
})

it('gives up a connection when the other side has said good-bye before it was open', () => {
  const transport = new Transport()
  transport.end()
  expect(opened(transport)).toHaveLength(1)
})
