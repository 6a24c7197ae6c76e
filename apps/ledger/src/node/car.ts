import { CarBlockIterator, CarWriter } from '@ipld/car'
import { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** A CAR file (version 1) as bytes, written while `blocks` come. */
export async function* writeCar(roots: readonly CID[], blocks: AsyncIterable<Block>): AsyncGenerator<Uint8Array> {
  const { writer, out } = CarWriter.create([...roots])
  let failure: unknown
  const written = (async () => {
    try {
      for await (const block of blocks) await writer.put({ cid: block.cid, bytes: block.bytes })
    } catch (error) {
      failure = error ?? new Error('the blocks of a CAR failed')
    } finally {
      await writer.close()
    }
  })()
  yield* out
  await written
  if (failure !== undefined) throw failure
}

/** A CAR file in memory. Nothing in it is checked here. */
export interface LoadedCar {
  readonly roots: readonly CID[]
  /** By multihash: the codec is not part of what a block is found by. */
  get(cid: CID): Uint8Array | undefined
  blocks(): AsyncIterable<Block>
  readonly size: number
}

/** Reads a CAR file of unknown origin. `INVALID_CONTENT` when it is none, `TOO_LARGE` beyond `maxBytes` of blocks. */
export async function loadCar(
  source: AsyncIterable<Uint8Array>,
  options: { maxBytes?: number | undefined; signal?: AbortSignal | undefined } = {}
): Promise<LoadedCar> {
  const maxBytes = options.maxBytes ?? 1_024 ** 3
  const blocks = new Map<string, Block>()
  let size = 0
  const bounded = limited(source, maxBytes, options.signal)
  try {
    const iterator = await CarBlockIterator.fromIterable(bounded)
    const roots = await iterator.getRoots()
    for await (const { cid, bytes } of iterator) {
      size += bytes.byteLength
      blocks.set(keyOf(cid), { cid: CID.asCID(cid) ?? cid, bytes })
    }
    return {
      roots: roots.map((root) => CID.asCID(root) ?? root),
      get: (cid) => blocks.get(keyOf(cid))?.bytes,
      blocks: async function* () {
        yield* blocks.values()
      },
      size
    }
  } catch (error) {
    if (error instanceof LedgerError || options.signal?.aborted === true) throw error
    throw new LedgerError('INVALID_CONTENT', `not a whole CAR file: ${(error as Error).message}`, error)
  }
}

function keyOf(cid: CID): string {
  return Buffer.from(cid.multihash.bytes).toString('latin1')
}

async function* limited(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of source) {
    signal?.throwIfAborted()
    size += chunk.byteLength
    if (size > maxBytes) throw new LedgerError('TOO_LARGE', `a CAR file has at most ${maxBytes} bytes`)
    yield chunk
  }
}
