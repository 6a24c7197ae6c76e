// Builds the site: `node src/main.ts [folder]`. The default folder is `dist`.
import { buildSite } from './site.ts'

await buildSite(process.argv[2])
