import { whenFree as whenStoreFree, type WhenFreeOptions } from '@p2pl/store'

export type { WhenFreeOptions } from '@p2pl/store'

/**
 * In a browser: resolves when the `dir` of a backend belongs to this tab, at once or when the tab that has it closes or stops its peer.
 * It is then kept for the next peer of this page. Tabs that wait are served in the order in which they came. In Node, where a second
 * process is told `LOCKED`, it resolves at once.
 */
export async function whenFree(dir: string, options?: WhenFreeOptions): Promise<void> {
  await whenStoreFree(dir && storeIn(dir), options)
}

/** Where the store of a backend is that has this `dir`. */
export function storeIn(dir: string): string {
  return `${dir}/store`
}
