import { checkFunction, checkKeys, checkWord, describe, invalidArgument, isBytes } from '@p2pl/core/backend'
import type { StoreOptions } from './types.ts'

const known: Readonly<Record<keyof StoreOptions, true>> = {
  location: true,
  around: true,
  format: true,
  durability: true,
  remedy: true,
  operations: true,
  backend: true,
  content: true,
  report: true
}

/** Throws `INVALID_ARGUMENT`. */
export function checkOptions(options: StoreOptions): void {
  const call = 'openStore'
  const need = (right: boolean, name: string, kind: string, value: unknown): void => {
    if (!right) throw invalidArgument(call, `${call}: ${name} must be ${kind}, not ${describe(value)}`)
  }
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  need(options !== undefined, 'the options', 'an object', options)
  checkKeys(call, options, Object.keys(known))
  const { location, around, format, durability, remedy, operations, backend, content, report } = options
  need(isText(location) || isObject(location), 'location', 'a folder, a name or a database', location)
  need(!isText(location) || !(location as string).includes('\0'), 'location', 'without zero characters', location)
  need(around === undefined || isText(around), 'around', 'a folder', around)
  need(isObject(format) && isText(format.name), 'format.name', 'a text', format)
  need(Number.isSafeInteger(format.version), 'format.version', 'a whole number', format.version)
  need(durability !== undefined, 'durability', '"process" or "power"', durability)
  checkWord(call, 'durability', durability, ['process', 'power'], durability)
  need(isText(remedy), 'remedy', 'a text that says what to do', remedy)
  for (const name of ['open', 'read', 'write'] as const)
    need(isObject(operations) && isText(operations[name]), `operations.${name}`, 'the name of a call', operations)
  need(backend === undefined || isText(backend), 'backend', 'a text', backend)
  need(
    content === undefined || (isObject(content) && isBytes(content.gte) && isBytes(content.lt)),
    'content',
    'a range of keys { gte, lt } in bytes',
    content
  )
  checkFunction(call, 'report', report)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
