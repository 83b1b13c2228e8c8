'use strict'

const helpers = module.exports

helpers.execBatch = async function (batch) {
  const results = await batch.exec()
  return results.map(([error, result]) => {
    if (error) throw error
    return result
  })
}

helpers.resultsToBool = (results) => results.map((result) => result === 1)

helpers.toObjects = function (flat) {
  const objects = []
  for (let i = 0; i < flat.length; i += 2) objects.push({ value: flat[i], score: parseFloat(flat[i + 1]) })
  return objects
}
