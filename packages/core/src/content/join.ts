/** All chunks as one array. `size` is asked for once the first chunk is here. */
export async function joinChunks(chunks: AsyncIterable<Uint8Array>, size: () => number): Promise<Uint8Array> {
  let all: Uint8Array | undefined
  let at = 0
  for await (const chunk of chunks) {
    // Content of a single block is handed on as it is.
    if (at === 0 && chunk.byteLength === size()) return chunk
    all ??= new Uint8Array(size())
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all ?? new Uint8Array(0)
}
