import { randomBytes } from 'node:crypto'
import type { Body } from '@p2pl/kubo/rpc'

const lineEnd = Buffer.from('\r\n')

/**
 * Files of at least this size (bytes) are sent as they are. Smaller ones are joined, because each part is a system
 * call.
 */
const large = 16 * 1024

/** A multipart/form-data body with these files. */
export function multipart(files: readonly Uint8Array[]): Body {
  const boundary = `p2pl-${randomBytes(18).toString('base64url')}`
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="data"\r\nContent-Type: application/octet-stream\r\n\r\n`
  )
  const parts: Uint8Array[] = []
  let small: Uint8Array[] = []
  for (const file of files) {
    small.push(head)
    if (file.byteLength < large) small.push(file)
    else {
      parts.push(Buffer.concat(small), file)
      small = []
    }
    small.push(lineEnd)
  }
  parts.push(Buffer.concat([...small, Buffer.from(`--${boundary}--\r\n`)]))
  return { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, parts }
}
