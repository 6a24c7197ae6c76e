import type { Manifest } from './workspace.ts'

/** Lets Node, the compiler and the bundler of the workspace read `src`. Published packages do not have this condition. */
export const sourceCondition = '@p2pl/source'

const site = 'https://github.com/p2pl/p2pl'

/**
 * The fields of a published manifest that follow from the others. `exports` of `publishConfig` takes effect when pnpm
 * packs.
 */
export function derivedFields(folder: string, { exports = {} }: Manifest): Partial<Manifest> {
  const doors = Object.entries(exports).map(([door, target]) => [
    door,
    typeof target === 'string'
      ? target
      : Object.fromEntries(Object.entries(target).filter(([condition]) => condition !== sourceCondition))
  ])
  return {
    homepage: `${site}/tree/main/${folder}#readme`,
    bugs: { url: `${site}/issues` },
    repository: { type: 'git', url: `git+${site}.git`, directory: folder },
    publishConfig: { access: 'public', exports: Object.fromEntries(doors) as Manifest['exports'] }
  }
}
