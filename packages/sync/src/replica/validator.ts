import type { ViewOptions } from '../api.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { publicEntry } from '../entry/public.ts'

/** The application's rule. If it throws, the entry is invalid. */
export function validator(validate: ViewOptions['validate']): ((entry: EntryRecord) => Promise<boolean>) | undefined {
  if (validate === undefined) return undefined
  return async (entry) => {
    try {
      return (await validate(publicEntry(entry))) === 'valid'
    } catch {
      return false
    }
  }
}
