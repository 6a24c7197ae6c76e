/** All chunks as one array. `size` is asked for once the first chunk is here. */
export async function joinChunks(chunks: AsyncIterable<Uint8Array>, size: () => number): Promise<Uint8Array> {
  let all: Uint8Array | undefined
  let at = 0
  for await (const chunk of chunks) {
    // Content of a single block is handed on as it is. The loop goes on to its end: to leave it would end a call that has nothing left to do, at the price of an error.
    if (at === 0 && chunk.byteLength === size()) all = chunk
    else {
      all ??= new Uint8Array(size())
      all.set(chunk, at)
    }
    at += chunk.byteLength
  }
  return all ?? new Uint8Array(0)
}
