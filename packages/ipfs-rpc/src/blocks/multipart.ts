import { randomBytes } from 'node:crypto'
import type { Body } from '@p2pl/kubo/rpc'

const lineEnd = Buffer.from('\r\n')

/** A multipart/form-data body of so many files. */
export function multipart(files: readonly Uint8Array[]): Body {
  const boundary = `p2pl-${randomBytes(18).toString('base64url')}`
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="data"\r\nContent-Type: application/octet-stream\r\n\r\n`
  )
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    bytes: Buffer.concat([...files.flatMap((file) => [head, file, lineEnd]), Buffer.from(`--${boundary}--\r\n`)])
  }
}
