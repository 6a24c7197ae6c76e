import type { Readable } from 'node:stream'
import { LedgerError } from '../errors.ts'

export interface RemoteEvent {
  readonly type: string
  readonly data: unknown
}

/** No event has more characters. */
const maxEventChars = 1_048_576

/** Reads the server-sent events of a node. */
export async function* readEvents(body: Readable): AsyncGenerator<RemoteEvent> {
  body.setEncoding('utf8')
  let rest = ''
  for await (const chunk of body as AsyncIterable<string>) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    if (rest.length > maxEventChars) throw new LedgerError('UNAVAILABLE', 'the node sends an event that does not end')
    for (const block of blocks) {
      const event = parse(block)
      if (event !== undefined) yield event
    }
  }
}

/** Returns `undefined` for a heartbeat. */
function parse(block: string): RemoteEvent | undefined {
  const [, type, data] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? []
  return type === undefined || data === undefined ? undefined : { type, data: JSON.parse(data) as unknown }
}
