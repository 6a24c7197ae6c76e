import { LedgerError } from '../errors.ts'
import type { Handler, RequestContext } from './handler.ts'

/** Handles one method of a resource. `C` is what it needs besides the request. */
export interface Route<C> {
  readonly method: 'GET' | 'POST'
  readonly path: RegExp
  readonly write: boolean
  readonly handle: (context: RequestContext & C, parameter: string) => Promise<void>
}

export function get<C>(path: RegExp, handle: Route<C>['handle']): Route<C> {
  return { method: 'GET', path, write: false, handle }
}

export function post<C>(path: RegExp, handle: Route<C>['handle']): Route<C> {
  return { method: 'POST', path, write: true, handle }
}

/**
 * The handler of a request; `undefined` if no route has the path. Throws `METHOD_NOT_ALLOWED` if the path has only
 * other methods.
 */
export function findRoute<C>(routes: readonly Route<C>[], method: string, path: string, more: C): Handler | undefined {
  let known = false
  for (const { path: pattern, method: allowed, write, handle } of routes) {
    const match = pattern.exec(path)
    if (match === null) continue
    known = true
    if (allowed !== method) continue
    const parameter = decode(match[1] ?? '')
    return { write, handle: async (context) => await handle({ ...context, ...more }, parameter) }
  }
  if (known) throw new LedgerError('METHOD_NOT_ALLOWED', `${method.slice(0, 16)} is not for ${path.slice(0, 80)}`)
  return undefined
}

export function noResource(path: string): LedgerError {
  return new LedgerError('NOT_FOUND', `no resource ${path.slice(0, 80)}`)
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new LedgerError('INVALID_ARGUMENT', 'the path is not well encoded')
  }
}
