import { classify, failure, RpcStatusError } from '../errors.ts'
import type { Call } from './call.ts'
import { LineSplitter, parseJson } from './lines.ts'

/** What the library may get to see of an answer: it bounds nothing itself. */
export interface AnswerLimits {
  /**
   * `whole` (default): read to its end first. `lines`: JSON objects, one a line, handed on line by line. `bytes`: handed
   * on as they come; their reader sets the bounds.
   */
  readonly answer?: 'whole' | 'lines' | 'bytes' | undefined
  /** Most bytes of a whole answer. Default 1 MiB. */
  readonly maxBytes?: number | undefined
  /** Sees each JSON value of the answer first. What it gives goes on instead, `undefined` leaves a line out. */
  readonly screen?: ((value: Record<string, unknown>) => unknown) | undefined
}

/** The part of `Response` that kubo-rpc-client uses. A real one copies every block twice, at twice the work of it all. */
export interface Answer {
  readonly ok: true
  readonly status: 200
  readonly headers: Headers
  readonly body: AsyncIterable<Uint8Array>
  json(): Promise<unknown>
  text(): Promise<string>
  arrayBuffer(): Promise<ArrayBufferLike>
}

const defaultMaxBytes = 1024 * 1024
const maxLineBytes = 4 * 1024 * 1024

/** The answer of a call, within its limits, as the library takes it. */
export async function answerOf(call: Call, limits: AnswerLimits): Promise<Answer> {
  const { operation } = call
  if (limits.answer === 'bytes') return streamed(operation, call.chunks())
  if (limits.answer === 'lines') return streamed(operation, wholeLines(call, limits.screen))
  const bytes = await call.collect(limits.maxBytes ?? defaultMaxBytes)
  if (limits.screen === undefined) return whole(operation, bytes)
  const shown = limits.screen(parseJson(operation, bytes.toString('utf8')))
  return whole(operation, Buffer.from(JSON.stringify(shown)))
}

function whole(operation: string, bytes: Buffer): Answer {
  const text = (): string => bytes.toString('utf8')
  return {
    ...head,
    headers: new Headers(),
    body: (async function* () {
      yield bytes
    })(),
    text: async () => text(),
    json: async () => parseJson(operation, text()),
    arrayBuffer: async () =>
      bytes.byteLength === bytes.buffer.byteLength
        ? bytes.buffer
        : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  }
}

/** Nothing that calls for the whole of it: that is not bounded. */
function streamed(operation: string, body: AsyncIterable<Uint8Array>): Answer {
  const refuse = async (): Promise<never> => {
    throw failure('ENGINE', operation, `the answer to ${operation} is read as a stream`)
  }
  return { ...head, headers: new Headers(), body, json: refuse, text: refuse, arrayBuffer: refuse }
}

const head = { ok: true, status: 200 } as const

/** The JSON objects of an answer that is read without the library. */
export async function* objectsOf(call: Call): AsyncGenerator<Record<string, unknown>, void, undefined> {
  const splitter = new LineSplitter(call.operation, maxLineBytes)
  for await (const chunk of call.chunks()) for (const line of splitter.push(chunk)) yield object(call.operation, line)
  const rest = splitter.rest()
  if (rest !== '') yield object(call.operation, rest)
}

/** Whole lines only: the library puts parts of them together again with each part that comes, without any bound. */
async function* wholeLines(call: Call, screen: AnswerLimits['screen']): AsyncGenerator<Uint8Array, void, undefined> {
  const splitter = new LineSplitter(call.operation, maxLineBytes)
  for await (const chunk of call.chunks()) {
    const text = screened(call.operation, splitter.push(chunk), screen)
    if (text !== '') yield Buffer.from(text)
  }
  const rest = splitter.rest()
  if (rest !== '') yield Buffer.from(screened(call.operation, [rest], screen))
}

function screened(operation: string, lines: readonly string[], screen: AnswerLimits['screen']): string {
  let text = ''
  for (const line of lines) {
    if (screen === undefined && !line.startsWith('{"Message"')) {
      text += `${line}\n`
      continue
    }
    const value = object(operation, line)
    const shown = screen === undefined ? value : screen(value)
    if (shown !== undefined) text += `${JSON.stringify(shown)}\n`
  }
  return text
}

/** The daemon may fail after its first lines: then the last one is an error. The library takes it for a result. */
function object(operation: string, line: string): Record<string, unknown> {
  const value = parseJson(operation, line)
  if (value['Type'] === 'error')
    throw classify(operation, new RpcStatusError(200, String(value['Message']).slice(0, 1000)))
  return value
}

/** What the library could not make sense of is the daemon's fault: every other error has its type by then. */
export function unexpected(operation: string, cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : String(cause)
  return failure(
    'PROTOCOL',
    operation,
    `the daemon answered ${operation} with something else than expected: ${text.slice(0, 200)}`,
    { cause }
  )
}
