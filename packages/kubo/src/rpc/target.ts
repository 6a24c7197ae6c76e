import { readFileSync } from 'node:fs'
import { invalidArgument } from '@p2pl/core/backend'
import { parseUrl, socketPathOf } from './url.ts'

/** TLS of the connection to the daemon, or to a proxy in front of it, as in `node:tls`. */
export interface TlsOptions {
  /** PEM certificates to trust instead of those of the system. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** The PEM certificate of the client, and its key. */
  readonly cert?: string | Uint8Array | undefined
  readonly key?: string | Uint8Array | undefined
  /** The name that the certificate must have. Default: the host of the url. */
  readonly servername?: string | undefined
  /** Default true. Turn it off only in tests. */
  readonly rejectUnauthorized?: boolean | undefined
}

export type Authorization =
  | { readonly bearer: string }
  | { readonly basic: { user: string; password: string } }
  | string

/** The address of the RPC API. */
export interface Target {
  /** `http://host:port`; for a socket `http://localhost`. */
  readonly origin: string
  readonly socketPath: string | undefined
  /** `/api/v0/`, after the path of the url. */
  readonly basePath: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsOptions
}

export interface TargetOptions {
  readonly url: string | URL
  readonly authorization?: Authorization | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly tls?: TlsOptions | undefined
}

/** Throws `INVALID_ARGUMENT`. Its messages contain no secrets. */
export function parseTarget(options: TargetOptions): Target {
  const common = { headers: requestHeaders(options), tls: options.tls ?? {} }
  const text = String(options.url)
  const socketPath = socketPathOf(text)
  if (socketPath !== undefined) return { ...common, origin: 'http://localhost', socketPath, basePath: '/api/v0/' }
  const url = parseUrl(text)
  const path = url.pathname.replace(/\/+$/, '')
  return {
    ...common,
    origin: url.origin,
    socketPath: undefined,
    basePath: path.endsWith('/api/v0') ? `${path}/` : `${path}/api/v0/`
  }
}

/** The address that a daemon wrote to `<repo>/api`. Returns `undefined` when there is no such file. */
export function apiOfRepo(repo: string): string | undefined {
  try {
    const text = readFileSync(`${repo}/api`, 'utf8').trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}

function requestHeaders(options: TargetOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !isHeaderValue(value))
      throw invalidArgument('kubo', `"headers" holds "${name.slice(0, 100)}", which is not a valid HTTP header`)
    headers[name.toLowerCase()] = value
  }
  const given = options.authorization
  if (given === undefined) return headers
  const value = authorizationHeader(given)
  if (!isHeaderValue(value))
    throw invalidArgument('kubo', '"authorization" holds a character that an HTTP header cannot have')
  headers['authorization'] = value
  return headers
}

function authorizationHeader(given: Authorization): string {
  if (typeof given === 'string') return /\s/.test(given) ? given : `Bearer ${given}`
  if ('bearer' in given) return `Bearer ${given.bearer}`
  return `Basic ${Buffer.from(`${given.basic.user}:${given.basic.password}`).toString('base64')}`
}

function isHeaderValue(value: unknown): boolean {
  return typeof value === 'string' && !/[^\t\x20-\x7e\x80-\xff]/.test(value)
}
