/** Which packages of `package-lock.json` come with an installation of Coatcheck, and which are there for tests only. */

/**
 * The lock of an installation of the package alone: its dependencies and required peers, and theirs. Development packages,
 * optional peers and workspaces are left out.
 * @param {object} lock the content of `package-lock.json`, version 3
 */
export function productionLock(lock) {
  const { name, version, license, engines } = lock.packages['']
  const root = { name, version, license, engines, dependencies: ownDependencies(lock.packages['']) }
  const wanted = new Set()
  const add = (from, dependencies, isOptional) => {
    for (const dependency of Object.keys(dependencies ?? {})) {
      const path = pathOf(lock.packages, from, dependency)
      if (path === null) {
        if (isOptional) continue
        throw new Error(`package-lock.json holds no ${dependency}, which ${from || 'the package'} depends on.`)
      }
      if (wanted.has(path)) continue
      wanted.add(path)
      const entry = lock.packages[path]
      add(path, entry.dependencies, false)
      add(path, entry.optionalDependencies, true)
      add(path, requiredPeers(entry), false)
    }
  }
  add('', root.dependencies, false)
  const packages = { '': root }
  for (const path of [...wanted].sort()) packages[path] = withoutMarks(lock.packages[path])
  return { name, version, lockfileVersion: lock.lockfileVersion, requires: true, packages }
}

/** `[name, version, license, path]` of all that the lock installs; links and workspaces are not installed. */
export function installedPackages(lock) {
  return Object.entries(lock.packages).flatMap(([path, { version, license, name, link }]) =>
    link || !path.includes('node_modules/') ? [] : [{ path, name: name ?? nameOf(path), version, license }],
  )
}

function ownDependencies(entry) {
  return { ...entry.dependencies, ...requiredPeers(entry) }
}

function requiredPeers({ peerDependencies = {}, peerDependenciesMeta = {} }) {
  return Object.fromEntries(Object.entries(peerDependencies).filter(([name]) => !peerDependenciesMeta[name]?.optional))
}

/** Where Node finds a dependency: in the package's own `node_modules`, or in one of a folder above. */
function pathOf(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages[path]) return path
    if (folder === '') return null
  }
}

function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** `dev` and `peer` say why the lock of the repository holds a package, and would make npm leave it out. */
function withoutMarks({ dev: _dev, peer: _peer, devOptional: _devOptional, ...entry }) {
  return entry
}
