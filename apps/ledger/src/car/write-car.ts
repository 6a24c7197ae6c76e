import { CarWriter } from '@ipld/car'
import type { CID } from 'multiformats/cid'
import type { Block } from './car-file.ts'

/** A CAR file (version 1) as bytes, written while `blocks` arrive. */
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
