import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { LedgerError } from '../errors.ts'

/**
 * Refuses requests from foreign web pages. The socket is bound to loopback, but a page in a browser on this machine can
 * reach it too:
 * - a page of another site sends its Origin (or Sec-Fetch-Site), which is refused;
 * - a page whose name was rebound to 127.0.0.1 sends that name as Host, which is refused.
 */
export function checkOrigin(request: IncomingMessage, port: number): void {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]
  const { host, origin } = request.headers
  if (host === undefined || !hosts.includes(host.toLowerCase()))
    throw new LedgerError('FORBIDDEN', `the Host header must be one of ${hosts.join(', ')}`)
  if (origin !== undefined && !hosts.some((allowed) => origin === `http://${allowed}`))
    throw new LedgerError('FORBIDDEN', 'pages of other origins may not use this API')
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new LedgerError('FORBIDDEN', 'pages of other sites may not use this API')
}

/** Checks the bearer token in constant time. */
export function checkToken(request: IncomingMessage, token: string): void {
  const given = /^Bearer ([\x21-\x7e]{1,256})$/.exec(request.headers.authorization ?? '')?.[1]
  if (given === undefined || !timingSafeEqual(sha256(given), sha256(token)))
    throw new LedgerError('UNAUTHORIZED', 'this needs the header "Authorization: Bearer <token>" (see api.json)')
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
