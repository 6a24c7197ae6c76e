import { wrong } from './errors.ts'

const forbidden = new Set(['__proto__', 'constructor', 'prototype'])
const maxDepth = 32
const maxValues = 10_000

export type PlainObject = Record<string, unknown>

export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/**
 * Refuses keys that could reach the prototype of an object, and values of unlimited depth or number (a YAML document may
 * refer to itself). Values that are not plain, such as byte arrays in a typed configuration file, are leaves.
 */
export function assertHarmless(value: unknown, source: string): void {
  let values = 0
  const visit = (item: unknown, path: readonly string[]): void => {
    if (++values > maxValues) throw wrong(`${source}: more than ${maxValues} values`)
    if (path.length > maxDepth) throw wrong(`${source}: nested deeper than ${maxDepth} levels`)
    if (Array.isArray(item)) item.forEach((member, i) => visit(member, [...path, String(i)]))
    else if (isPlainObject(item)) {
      for (const key of Object.keys(item)) {
        const inner = [...path, key]
        if (forbidden.has(key)) throw wrong(`${source}: ${inner.join('.')}: this key is not allowed`)
        visit(item[key], inner)
      }
    }
  }
  visit(value, [])
}

/** `over` takes precedence: plain objects are merged key by key, everything else is replaced. Neither argument is changed. */
export function mergeDeep(under: PlainObject, over: PlainObject): PlainObject {
  const merged: PlainObject = { ...under }
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue
    const below = Object.hasOwn(under, key) ? under[key] : undefined
    merged[key] = isPlainObject(below) && isPlainObject(value) ? mergeDeep(below, value) : value
  }
  return merged
}
