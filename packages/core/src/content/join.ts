/** All chunks as one array. `size` is called once the first chunk is here. */
export async function joinChunks(chunks: AsyncIterable<Uint8Array>, size: () => number): Promise<Uint8Array> {
  let all: Uint8Array | undefined
  let at = 0
  for await (const chunk of chunks) {
    // A single block is returned without a copy. The loop still runs to its end: leaving it early would cancel a call that
    // has nothing left to do, and cancelling creates an error.
    if (at === 0 && chunk.byteLength === size()) all = chunk
    else {
      all ??= new Uint8Array(size())
      all.set(chunk, at)
    }
    at += chunk.byteLength
  }
  return all ?? new Uint8Array(0)
}
