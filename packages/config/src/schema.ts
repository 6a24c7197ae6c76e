import { type Operation, operations } from '@p2pl/layers'
import * as v from 'valibot'
import { isPlainObject } from './plain.ts'

// Every message is written here, and none repeats its input, since a value may be a secret.
const text = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'), v.maxLength(4_096, 'is too long'))
const record = v.custom<Record<string, unknown>>(isPlainObject, 'must be an object')

function numberFrom(min: number, max = Number.MAX_VALUE): v.GenericSchema<number> {
  const message =
    max === Number.MAX_VALUE ? `must be a number of at least ${min}` : `must be a number from ${min} to ${max}`
  return v.pipe(v.number(message), v.minValue(min, message), v.maxValue(max, message))
}

const attemptsMessage = 'must be a whole number of at least 1'
const attempts = v.pipe(v.number(attemptsMessage), v.integer(attemptsMessage), v.minValue(1, attemptsMessage))
const milliseconds = v.pipe(v.number('must be milliseconds over 0'), v.gtValue(0, 'must be milliseconds over 0'))

/** An object without other keys. valibot alone would accept a list as an empty object. */
function objectOf(entries: v.ObjectEntries, message: string): v.GenericSchema {
  return v.pipe(v.custom<Record<string, unknown>>(isPlainObject, message), v.strictObject(entries, message))
}

/** Maximum number of adapters in one list. */
const maxLegs = 8
const backendEntries = { use: v.optional(text), options: v.optional(record) }
const retryEntries = {
  attempts: v.optional(attempts),
  baseDelay: v.optional(numberFrom(0)),
  maxDelay: v.optional(numberFrom(0)),
  jitter: v.optional(numberFrom(0, 1)),
  operations: v.optional(
    v.array(
      v.picklist<readonly Operation[], string>(operations, `must be one of ${operations.join(', ')}`),
      'must be a list of operations'
    )
  )
}
const timeoutEntries = {
  get: v.optional(milliseconds),
  put: v.optional(milliseconds),
  pin: v.optional(milliseconds),
  store: v.optional(milliseconds),
  publish: v.optional(milliseconds),
  subscribe: v.optional(milliseconds),
  routing: v.optional(milliseconds),
  lifecycle: v.optional(milliseconds)
}

const form = 'must be a name, or an object with use and options'
const adapter = v.lazy((input) => (typeof input === 'string' ? text : objectOf(backendEntries, form)))
const backend = v.lazy((input) => {
  if (!Array.isArray(input))
    return typeof input === 'string' ? text : objectOf(backendEntries, `${form}, or a list of these`)
  const legs = v.array(adapter)
  return v.pipe(
    legs,
    v.nonEmpty('must not be an empty list'),
    v.maxLength(maxLegs, `must have at most ${maxLegs} entries`)
  )
})
const topLevelEntries = {
  backend: v.optional(backend),
  messages: v.optional(backend),
  data: v.optional(backend),
  retry: v.optional(
    v.lazy((input) =>
      typeof input === 'boolean' ? v.boolean() : objectOf(retryEntries, 'must be true, false or an object')
    )
  ),
  timeout: v.optional(
    v.lazy((input) =>
      input === false ? v.literal(false) : objectOf(timeoutEntries, 'must be false or an object of milliseconds')
    )
  )
}

export const schema: v.GenericSchema = objectOf(topLevelEntries, 'must be an object')

export const topLevelKeys: readonly string[] = Object.keys(topLevelEntries)
const backendKeys = Object.keys(backendEntries)
const keysByParent: Readonly<Record<string, readonly string[]>> = {
  '': topLevelKeys,
  backend: backendKeys,
  messages: backendKeys,
  data: backendKeys,
  retry: Object.keys(retryEntries),
  timeout: Object.keys(timeoutEntries)
}

/** The keys that may stand below a path such as `retry`; none if any key may. */
export function knownKeys(parent: string): readonly string[] {
  // An entry of a list has the same keys as the place of the list.
  const place = parent.replace(/^(backend|messages|data)\.\d+$/, '$1')
  return Object.hasOwn(keysByParent, place) ? (keysByParent[place] ?? []) : []
}
