import { equalBytes, type SecretStore } from '@p2pl/core/backend'
import { mostTelling, nothingWorks } from './faults.ts'
import type { Legs } from './legs.ts'

/** Stores secrets in every store that runs, so the peer keeps its identity no matter which leg is down at the next start. */
export function secretsOf(legs: Legs): SecretStore | undefined {
  const stores = (): readonly SecretStore[] => legs.all.flatMap(({ backend }) => backend.secrets ?? [])
  if (stores().length === 0) return undefined
  const onAll = async <T>(work: (store: SecretStore) => Promise<T>): Promise<readonly T[]> => {
    const results = await Promise.allSettled(stores().map(work))
    const values = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    if (values.length > 0) return values
    throw mostTelling(results.map((result) => (result as PromiseRejectedResult).reason as unknown)) ?? nothingWorks()
  }
  return {
    get: async (name) => {
      const found = (await onAll(async (store) => await store.get(name))).find((secret) => secret !== undefined)
      if (found === undefined) return undefined
      await onAll(async (store) => {
        const there = await store.get(name)
        if (there === undefined || !equalBytes(there, found)) await store.set(name, found)
      })
      return found
    },
    set: async (name, secret) => {
      await onAll(async (store) => await store.set(name, secret))
    }
  }
}
