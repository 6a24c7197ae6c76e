import { randomBytes } from 'node:crypto'

export interface Body {
  readonly headers: Readonly<Record<string, string>>
  readonly chunks: readonly Uint8Array[]
}

const smallBody = 64 * 1024

/** A multipart/form-data body with one file a part, of known length. Large parts are not copied. */
export function multipart(parts: readonly Uint8Array[]): Body {
  const boundary = `p2pl-${randomBytes(18).toString('base64url')}`
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="data"\r\nContent-Type: application/octet-stream\r\n\r\n`
  )
  const lineEnd = Buffer.from('\r\n')
  const chunks: Uint8Array[] = []
  for (const part of parts) chunks.push(head, part, lineEnd)
  chunks.push(Buffer.from(`--${boundary}--\r\n`))
  const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(length) },
    chunks: length <= smallBody ? [Buffer.concat(chunks)] : chunks
  }
}
