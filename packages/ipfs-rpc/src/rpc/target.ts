import { readFileSync } from 'node:fs'
import { invalidArgument } from '@p2pl/core/backend'

/** TLS of the connection to the daemon (or to a proxy before it), as in `node:tls`. */
export interface TlsOptions {
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** PEM client certificate and key. */
  readonly cert?: string | Uint8Array | undefined
  readonly key?: string | Uint8Array | undefined
  /** Name to expect in the certificate. Default: the host of the url. */
  readonly servername?: string | undefined
  /** Default true. Only ever turn it off in tests. */
  readonly rejectUnauthorized?: boolean | undefined
}

export type Authorization =
  | { readonly bearer: string }
  | { readonly basic: { user: string; password: string } }
  | string

/** Where the RPC API answers. */
export interface Target {
  /** Equal for equal daemons. */
  readonly key: string
  readonly secure: boolean
  readonly connect: { socketPath: string } | { host: string; port: number }
  /** `/api/v0/`, or what the url says before it. */
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

const examples = 'http://127.0.0.1:5001, https://host/prefix, /ip4/127.0.0.1/tcp/5001, /unix/path/to/api.sock'

export function parseTarget(options: TargetOptions): Target {
  const common = { headers: requestHeaders(options), tls: options.tls ?? {} }
  const text = String(options.url)
  const socketPath = /^(?:\/unix(?=\/)|unix:(?:\/\/)?)(\/.+)$/.exec(text)?.[1]
  if (socketPath !== undefined)
    return {
      ...common,
      key: `unix:${socketPath}`,
      secure: false,
      connect: { socketPath },
      basePath: '/api/v0/'
    }
  const url = parseUrl(text)
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const path = url.pathname.replace(/\/+$/, '')
  return {
    ...common,
    key: `${url.protocol}//${host}:${port}${path}`,
    secure,
    connect: { host, port },
    basePath: path.endsWith('/api/v0') ? `${path}/` : `${path}/api/v0/`
  }
}

/** What a daemon wrote into `<repo>/api`. `undefined` when there is no such file. */
export function apiOfRepo(repo: string): string | undefined {
  try {
    const text = readFileSync(`${repo}/api`, 'utf8').trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}

function parseUrl(text: string): URL {
  const multiaddr = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d+)(?:\/(https?|tls\/http))?\/?$/.exec(text)
  const [, host, port, scheme] = multiaddr ?? []
  const plain =
    host === undefined
      ? text
      : `${scheme === 'https' || scheme === 'tls/http' ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
  let url: URL
  try {
    url = new URL(plain)
  } catch {
    throw invalidArgument('ipfsRpc', `"url" is "${text.slice(0, 200)}"; it is one of: ${examples}`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalidArgument('ipfsRpc', `"url" has the scheme "${url.protocol}"; it is one of: ${examples}`)
  if (url.username !== '' || url.password !== '')
    throw invalidArgument('ipfsRpc', '"url" holds a password; use "authorization": { basic: { user, password } }')
  return url
}

function requestHeaders(options: TargetOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[\r\n\0]/.test(value))
      throw invalidArgument('ipfsRpc', `"headers" holds "${name}", which is not a valid HTTP header`)
    headers[name.toLowerCase()] = value
  }
  const given = options.authorization
  if (given === undefined) return headers
  let value: string
  if (typeof given === 'string') value = /\s/.test(given) ? given : `Bearer ${given}`
  else if ('bearer' in given) value = `Bearer ${given.bearer}`
  else value = `Basic ${Buffer.from(`${given.basic.user}:${given.basic.password}`).toString('base64')}`
  if (/[\r\n\0]/.test(value)) throw invalidArgument('ipfsRpc', '"authorization" holds a line break')
  headers['authorization'] = value
  return headers
}
