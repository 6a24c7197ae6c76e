/** A package is found from the file that imports it. */
export const load = (name) => import(name)
