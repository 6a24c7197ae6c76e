import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, Converter, ReflectionKind, type Context, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { root } from './repository.ts'

/** The folder of the generated API pages, below the other pages, and not in git. */
export const apiFolder: string = join(import.meta.dirname, '../pages/reference/api')

interface Door {
  readonly name: string
  readonly source: string
}

/** Each import path of a published package, with its source file. */
export const doors: readonly Door[] = readdirSync(join(root, 'packages')).flatMap((folder) => {
  const { name, exports = {} } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as {
    name: string
    exports?: Record<string, string | Record<string, string>>
  }
  return Object.entries(exports).flatMap(([path, target]) => {
    const source = typeof target === 'string' ? undefined : target['@p2pl/source']
    return source === undefined ? [] : [{ name: join(name, path), source: join(root, 'packages', folder, source) }]
  })
})

/** Writes a page for each import path, from the declarations and their docstrings. Takes a few seconds. */
export async function writeApi(): Promise<void> {
  const options: TypeDocOptions & Partial<PluginOptions> = {
    entryPoints: doors.map(({ source }) => source),
    tsconfig: join(import.meta.dirname, '../tsconfig.api.json'),
    plugin: ['typedoc-plugin-markdown'],
    router: 'module',
    entryFileName: 'index',
    out: apiFolder,
    name: 'API',
    readme: 'none',
    logLevel: 'Warn',
    // `npm run check` has already checked the types, with the workspace's compiler.
    skipErrorChecking: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    // Use the anchors that the generator numbers itself as the targets of links.
    useHTMLAnchors: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    validation: false
  }
  const app = await Application.bootstrapWithPlugins(options)
  const names = new Map(doors.map(({ source, name }) => [source, name]))
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }: Context) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const source = project.getSymbolIdFromReflection(module)?.fileName ?? ''
      module.name = names.get(source) ?? module.name
    }
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('typedoc found nothing to describe')
  await app.generateOutputs(project)
}
