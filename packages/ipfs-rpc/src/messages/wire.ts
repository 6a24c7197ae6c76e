import { compactBytes, type IncomingMessage } from '@p2pl/core/backend'
import { failure, parseJson } from '@p2pl/kubo/rpc'

export interface ReadMessage {
  readonly message: IncomingMessage
  /** Equal for the same message on another stream. */
  readonly key: string | undefined
}

/** No peer id and no sequence number is longer. Keys are kept in memory. */
const maxIdLength = 128

/** The message in a line of `pubsub/sub`. Throws `PROTOCOL`. */
export function messageIn(operation: string, line: string): ReadMessage {
  const { from, data, seqno } = parseJson(operation, line)
  if (typeof data !== 'string' || !data.startsWith('u'))
    throw failure('PROTOCOL', operation, 'a message of the daemon has no data in base64url')
  const sender = isId(from) ? from : undefined
  return {
    message: {
      payload: compactBytes(Buffer.from(data.slice(1), 'base64url')),
      ...(sender === undefined ? {} : { from: sender })
    },
    key: sender !== undefined && isId(seqno) ? `${sender}/${seqno}` : undefined
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxIdLength
}
