import { type Answer, failure, parseJson } from '@p2pl/kubo/rpc'

/** How the library may read an answer. The library itself limits nothing. */
export interface AnswerLimits {
  /**
   * `whole` (default): reads the answer to its end first. `lines`: JSON objects, one per line, passed on line by line.
   * `bytes`: passed on as they arrive; their reader sets the limits.
   */
  readonly answer?: 'whole' | 'lines' | 'bytes' | undefined
  /** The most bytes of a whole answer. Default 1 MiB. */
  readonly maxBytes?: number | undefined
}

/** The part of `Response` that kubo-rpc-client uses. A real one copies every block twice, which doubles the total work. */
export interface LibraryResponse {
  readonly ok: true
  readonly status: 200
  readonly headers: Headers
  readonly body: AsyncIterable<Uint8Array>
  json(): Promise<unknown>
  text(): Promise<string>
  arrayBuffer(): Promise<ArrayBufferLike>
}

const head = { ok: true, status: 200 } as const

/** The answer within its limits, in the form that the library accepts. */
export async function responseOf(answer: Answer, limits: AnswerLimits): Promise<LibraryResponse> {
  if (limits.answer === 'bytes') return streamed(answer.operation, answer.chunks())
  if (limits.answer === 'lines') return streamed(answer.operation, wholeLines(answer))
  return whole(answer.operation, await answer.collect(limits.maxBytes))
}

function whole(operation: string, bytes: Buffer): LibraryResponse {
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

/** Without the methods that read the whole answer, because they are not bounded. */
function streamed(operation: string, body: AsyncIterable<Uint8Array>): LibraryResponse {
  const refuse = async (): Promise<never> => {
    throw failure('ENGINE', operation, `the answer to ${operation} can be read as a stream only`)
  }
  return { ...head, headers: new Headers(), body, json: refuse, text: refuse, arrayBuffer: refuse }
}

/** Whole lines, none of them an error. The library joins chunks without a limit, and would take an error for a result. */
async function* wholeLines(answer: Answer): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const lines of answer.lines()) if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`)
}
