import type { Socket } from 'node:net'

/** What a client asks, and the broker answers. */
export type Request =
  | { readonly hello: string }
  | { readonly join: string }
  | { readonly leave: string }
  | { readonly publish: string; readonly payload: string }

/** The answer to the request of this number. */
export interface Answer {
  readonly ok: number
  readonly recipients?: number
}

/** A message of another client, on a topic that was joined. */
export interface Message {
  readonly message: string
  readonly payload: string
  readonly from: string
}

/** One line of JSON, in either direction. */
export type Line = (Request & { readonly n: number }) | { readonly ping: true } | Answer | Message

/** Longest payload in bytes. In base64 it is a third longer. */
export const maxPayload: number = 256 * 1024
const maxLine = maxPayload * 2
/** Bytes that may wait for a peer that does not read. */
const maxWaiting = 4 * 1024 * 1024

export function send(socket: Socket, line: Line): void {
  socket.write(`${JSON.stringify(line)}\n`)
  if (socket.writableLength > maxWaiting) socket.destroy()
}

/** Hands on each line that arrives. A line that is too long or no JSON ends the connection. */
export function receive(socket: Socket, handle: (line: Line) => void): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    try {
      if (rest.length > maxLine) throw new RangeError(`a line is longer than ${maxLine} characters`)
      for (const line of lines) handle(JSON.parse(line) as Line)
    } catch {
      socket.destroy()
    }
  })
}
