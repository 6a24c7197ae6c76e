import type { Headers } from '../api/topic.ts'
import { invalidArgument } from '../errors.ts'

const maxHeaders = 16
const maxName = 64
const maxValue = 1_024

/** Maximum bytes that headers need in an envelope: names and values take at most three bytes per character, plus their lengths. */
export function headersSize(headers: Headers): number {
  if (headers === noHeaders) return 0
  let size = 3
  for (const [name, value] of Object.entries(headers)) size += 3 * (name.length + value.length) + 6
  return size
}

/** The headers that an app gave. Throws `INVALID_ARGUMENT` for headers that receivers would refuse. */
export function checkHeaders(headers: Headers): Headers {
  const parsed = parseHeaders(headers)
  if (parsed !== undefined) return parsed
  throw invalidArgument(
    'publish',
    `headers are an object of at most ${maxHeaders} well-formed texts, with names of 1 to ${maxName} and values of at most ${maxValue} characters`
  )
}

/** `undefined` for anything else. The result has no prototype, so that no name from a stranger has a special meaning. */
export function parseHeaders(value: unknown): Headers | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  if (entries.length > maxHeaders) return undefined
  const headers = Object.create(null) as Record<string, string>
  for (const [name, text] of entries) {
    if (name === '' || name.length > maxName || typeof text !== 'string' || text.length > maxValue) return undefined
    if (!name.isWellFormed() || !text.isWellFormed()) return undefined
    headers[name] = text
  }
  return headers
}

export const noHeaders: Headers = Object.freeze(Object.create(null) as Record<string, string>)
