import { operations } from '@p2pl/layers'
import * as v from 'valibot'
import { wrong } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { assertHarmless } from './plain.ts'
import { knownKeys, schema } from './schema.ts'
import type { ConfigInput } from './types.ts'

/**
 * Returns the input if it is valid. Throws `INVALID_ARGUMENT`, which names the source and every wrong key with its path,
 * and the key that was probably meant, if one is close.
 */
export function validate(input: unknown, source: string): ConfigInput {
  assertHarmless(input, source)
  const result = v.safeParse(schema, input)
  if (result.success) return input as ConfigInput
  throw wrong(result.issues.map((issue) => `${source}: ${describe(issue)}`).join('\n'))
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map((item) => String(item.key))
  const key = path.at(-1)
  if (key === undefined) return issue.message
  const parent = path.slice(0, -1).join('.')
  const keys = knownKeys(parent)
  if (keys.length > 0 && !keys.includes(key) && !/^\d+$/.test(key))
    return `${path.join('.')}: unknown key.${didYouMean(key, keys)} Known here: ${keys.join(', ')}`
  const near =
    path[0] === 'retry' && path[1] === 'operations' && typeof issue.input === 'string'
      ? didYouMean(issue.input, operations)
      : ''
  return `${path.join('.')}: ${issue.message}${near && `.${near}`}`
}
