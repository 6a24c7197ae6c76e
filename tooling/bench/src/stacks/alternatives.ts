import { existsSync } from 'node:fs'

const folder = new URL('../../alternatives/', import.meta.url)

/** Whether `--alternatives` has installed the packages that we compare with. */
export function haveAlternatives(): boolean {
  return existsSync(new URL('node_modules/', folder))
}

/** One of them. They are outside of the workspace, so its types are what the caller says they are. */
export async function alternative<Module>(name: string): Promise<Module> {
  const from = (await import(new URL('load.mjs', folder).href)) as { load(name: string): Promise<Module> }
  return await from.load(name)
}
