import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { readIfThere } from '../node/files.ts'
import type { Handler } from './handler.ts'
import { noResource } from './router.ts'

/** Where the explorer is built. It depends on this package, so it is found by path, not by package name. */
export const explorerFolder: URL = new URL('../../../explorer/', import.meta.url)

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  map: 'application/json',
  wasm: 'application/wasm'
}

/** Everything on the page comes from this server. Only a peer in the page dials other peers. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** Serves the page and its assets; `undefined` for every other path. */
export function pageHandler(method: string, path: string): Handler | undefined {
  const name = path === '/' ? 'index.html' : /^\/(assets\/[\w-][\w.-]*\.(\w+))$/.exec(path)?.[1]
  if (method !== 'GET' || name === undefined) return undefined
  return { write: false, handle: async ({ response }) => await send(response, name) }
}

const unbuilt =
  'The page is not built yet. `npm start` builds it, and so does `npx pnpm@12 --filter @p2pl/explorer build`.\n'

async function send(response: ServerResponse, name: string): Promise<void> {
  const headers = {
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff'
  }
  const bytes = await readIfThere(fileURLToPath(new URL(`dist/${name}`, explorerFolder)))
  if (bytes === undefined) {
    if (name !== 'index.html') throw noResource(`/${name}`)
    // The browser asks again by itself, because the page may still be building.
    response.writeHead(503, { ...headers, 'content-type': 'text/plain; charset=utf-8', refresh: '2' })
    response.end(unbuilt)
    return
  }
  const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
  // The names of assets contain a hash of their content.
  const caching = name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable'
  response.writeHead(200, {
    ...headers,
    'content-type': type,
    'content-length': bytes.byteLength,
    'cache-control': caching
  })
  response.end(bytes)
}
