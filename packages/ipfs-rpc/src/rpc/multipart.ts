import { randomBytes } from 'node:crypto'
import type { Body } from './transport.ts'

const lineEnd = Buffer.from('\r\n')
const smallChunk = 16 * 1024
const joinedChunk = 256 * 1024

/** A multipart/form-data body of so many files, of known length. Large files are not copied, small ones are joined. */
export function multipart(files: Iterable<Uint8Array>): Body {
  const boundary = `p2pl-${randomBytes(18).toString('base64url')}`
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="data"\r\nContent-Type: application/octet-stream\r\n\r\n`
  )
  const chunks: Uint8Array[] = []
  let length = 0
  let small: Uint8Array[] = []
  let smallBytes = 0
  const flush = (): void => {
    if (small.length > 0) chunks.push(Buffer.concat(small, smallBytes))
    small = []
    smallBytes = 0
  }
  const add = (chunk: Uint8Array): void => {
    length += chunk.byteLength
    if (chunk.byteLength > smallChunk) {
      flush()
      chunks.push(chunk)
      return
    }
    small.push(chunk)
    smallBytes += chunk.byteLength
    if (smallBytes > joinedChunk) flush()
  }
  for (const file of files) {
    add(head)
    add(file)
    add(lineEnd)
  }
  add(Buffer.from(`--${boundary}--\r\n`))
  flush()
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(length) },
    chunks
  }
}
