import { existsSync } from 'node:fs'

const folder = new URL('../../alternatives/', import.meta.url)

/** Whether `--alternatives` has installed the packages that we compare with. */
export function haveAlternatives(): boolean {
  return existsSync(new URL('node_modules/', folder))
}

/** Loads one of them. They are outside the workspace, so the caller states the types. */
export async function alternative<Module>(name: string): Promise<Module> {
  const from = (await import(new URL('load.mjs', folder).href)) as { load(name: string): Promise<Module> }
  return await from.load(name)
}
