import { invalidArgument } from '@p2pl/core/backend'

const forms = 'http://127.0.0.1:5001, https://host/prefix, /ip4/127.0.0.1/tcp/5001, /unix/path/to/api.sock'

/** The path of the socket in `/unix/…` or `unix://…`. */
export function socketPathOf(text: string): string | undefined {
  return /^(?:\/unix(?=\/)|unix:(?:\/\/)?)(\/.+)$/.exec(text)?.[1]
}

/** Reads `http(s)://…`, or a multiaddr such as `/ip4/127.0.0.1/tcp/5001`. Throws `INVALID_ARGUMENT`. */
export function parseUrl(text: string): URL {
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
    throw invalidArgument('kubo', `"url" is ${shown(text)}; it must be one of: ${forms}`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalidArgument('kubo', `"url" is ${shown(text)}; its scheme must be http or https: ${forms}`)
  if (url.username !== '' || url.password !== '')
    throw invalidArgument('kubo', '"url" holds a password; use "authorization": { basic: { user, password } }')
  return url
}

/**
 * A text for a message. A text that may contain a secret is not shown: a password comes before an `@`, a token after a
 * `?`.
 */
function shown(text: string): string {
  return /[@?#]/.test(text)
    ? 'not an address (it is not shown, because it may hold a secret; secrets go into "authorization")'
    : `"${text.slice(0, 200)}"`
}

/** The target of a redirect, in the form that `url` should have: without credentials, and without the path of the call. */
export function redirectTarget(location: string, from: string): string | undefined {
  try {
    const { protocol, host, pathname } = new URL(location.slice(0, 2_000), from)
    if (protocol !== 'http:' && protocol !== 'https:') return undefined
    return `${protocol}//${host}${pathname.replace(/\/(?:api\/v0\/.*)?$/, '')}`.slice(0, 200)
  } catch {
    return undefined
  }
}
