/** The members of an encrypted noise connection that this package uses beyond the published interface. */
interface Encrypted {
  readonly decoder: {
    lengthDecoder(data: { readonly byteLength: number }): number
    encodingLength(length: number): number
  }
}

/** Bytes of the length before each frame of noise. */
const lengthBytes = 2

/**
 * Lets noise detect the end of the received bytes without an exception. After the last frame of each chunk it looks for
 * another one, and an exception told it that there is none. That exception took 50 of the 900 µs of processor time for
 * a message and its answer.
 */
export function endFramesQuietly(connection: object): void {
  if (!isNoise(connection)) return
  const { decoder } = connection
  const decode = decoder.lengthDecoder.bind(decoder)
  // A frame longer than the available bytes waits for more, and so does the shortest one.
  decoder.lengthDecoder = (data) => (data.byteLength < lengthBytes ? 0 : decode(data))
}

function isNoise(connection: object): connection is Encrypted {
  const { decoder } = connection as Partial<Encrypted>
  return typeof decoder?.lengthDecoder === 'function' && decoder.encodingLength(0) === lengthBytes
}
