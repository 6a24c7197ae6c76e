import type { GetOptions } from '../api/blocks.ts'
import type { CidInput } from '../api/common.ts'
import type { DataStat, ReadOptions } from '../api/data.ts'
import { joinChunks } from '../content/join.ts'
import { decodeNode, notAFile } from '../content/node.ts'
import { readFile } from '../content/reader.ts'
import { invalidArgument, P2plError } from '../errors.ts'
import { checkFunction, checkNumber } from '../toolbox/options.ts'
import { type Calls, reading } from './calls.ts'
import { toCid } from './cid-input.ts'

const defaultMaxBytes = 64 * 1024 * 1024

/** Streams one file. `onSize` is called with the number of bytes before the first of them. */
export function read(
  calls: Calls,
  operation: string,
  input: CidInput,
  options: ReadOptions | undefined,
  onSize?: (bytes: number) => void
): AsyncIterableIterator<Uint8Array> {
  return calls.iterate(
    options,
    calls.context.timeouts.get,
    operation,
    true,
    (countdown) => {
      const cid = toCid(input, operation)
      checkFunction(operation, 'onProgress', options?.onProgress)
      const range = { offset: countOf(options?.offset, 0, 'offset', operation), length: lengthOf(options, operation) }
      const progress: { bytes: number; total: number | undefined; blocks: number } = {
        bytes: 0,
        total: undefined,
        blocks: 0
      }
      const chunks = readFile(cid, {
        operation,
        range,
        fetch: calls.fetcher(operation, options, countdown, cid),
        onBlock: () => {
          progress.blocks++
          countdown.renew()
        },
        onSize: (bytes) => {
          progress.total = bytes
          onSize?.(bytes)
        }
      })
      return options?.onProgress === undefined ? chunks : reported(chunks, progress, options.onProgress)
    },
    [...reading, 'offset', 'length', 'maxBytes', 'onProgress']
  )
}

/** The whole file as one array. Its size is checked before it is fetched. */
export async function readBytes(
  calls: Calls,
  input: CidInput,
  options: (ReadOptions & { maxBytes?: number | undefined }) | undefined
): Promise<Uint8Array> {
  const operation = 'data.bytes'
  const maxBytes = checkNumber(operation, 'maxBytes', options?.maxBytes, { min: 0 }, defaultMaxBytes)
  let size = 0
  const chunks = read(calls, operation, input, options, (bytes) => {
    size = bytes
    if (bytes > maxBytes) {
      throw new P2plError({
        code: 'TOO_LARGE',
        operation,
        message: `the content has ${bytes} bytes, more than maxBytes (${maxBytes}): stream it with data.get`
      })
    }
  })
  return await joinChunks(chunks, () => size)
}

export async function stat(calls: Calls, input: CidInput, options: GetOptions | undefined): Promise<DataStat> {
  const operation = 'data.stat'
  const cid = toCid(input, operation)
  return await calls.run(
    options,
    calls.context.timeouts.get,
    operation,
    async (countdown) => {
      const bytes = await calls.fetcher(operation, options, countdown, cid)(cid)
      const node = decodeNode(cid, bytes, operation)
      if (node.kind === 'symlink') throw notAFile(operation, cid, node.kind)
      if (node.kind === 'directory') return { cid, kind: node.kind }
      return { cid, kind: node.kind, size: node.kind === 'file' ? node.size : bytes.byteLength }
    },
    reading
  )
}

async function* reported(
  chunks: AsyncIterable<Uint8Array>,
  progress: { bytes: number; total: number | undefined; blocks: number },
  onProgress: NonNullable<ReadOptions['onProgress']>
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    progress.bytes += chunk.byteLength
    onProgress({ ...progress })
    yield chunk
  }
}

function lengthOf(options: ReadOptions | undefined, operation: string): number {
  return options?.length === Infinity ? Infinity : countOf(options?.length, Infinity, 'length', operation)
}

function countOf(value: number | undefined, otherwise: number, name: string, operation: string): number {
  if (value === undefined) return otherwise
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalidArgument(operation, `${name} must be a whole number of bytes, not ${String(value)}`)
  }
  return value
}
