// node ask.mjs validate|three|vrm FILE [unit=amount ...]: prints as JSON what that program finds in the file.

import { readFile } from 'node:fs/promises';

const [program, path, ...settings] = process.argv.slice(2);
const amounts = settings.map((setting) => setting.split('=')).map(([name, amount]) => [name, Number(amount)]);
const bytes = new Uint8Array(await readFile(path));
const programs = { validate, three, vrm };
console.log(JSON.stringify(await programs[program]()));

async function validate() {
  const { default: validator } = await import('gltf-validator');
  const { issues, info } = await validator.validateBytes(bytes, { maxIssues: 0 });
  return { errors: issues.numErrors, warnings: issues.numWarnings, messages: issues.messages.slice(0, 20), info };
}

// The scene; node has no pictures, so that every texture is an empty one.
async function scene(register = () => {}) {
  globalThis.self ??= globalThis;
  const THREE = await import('three');
  const { GLTFLoader } = await import('three/addons/loaders/GLTFLoader.js');
  const loader = new GLTFLoader();
  const texture = () => Promise.resolve(new THREE.Texture());
  loader.register(() => ({ name: 'headform_no_pictures', loadTexture: texture }));
  await register(loader);
  return [await loader.parseAsync(bytes.buffer, ''), THREE];
}

async function three() {
  const [gltf, THREE] = await scene();
  const meshes = meshesOf(gltf.scene);
  const rest = placesOf(meshes, THREE);
  for (const [name, amount] of amounts)
    for (const mesh of meshes.filter((each) => each.morphTargetDictionary)) // hair has none
      mesh.morphTargetInfluences[mesh.morphTargetDictionary[name]] = amount;
  return {
    materials: meshes.map((mesh) => describe(mesh.material)),
    units: Object.keys(meshes[0].morphTargetDictionary ?? {}),
    bones: meshes[0].skeleton.bones.map((bone) => bone.name),
    parameters: gltf.asset.extras.headform,
    rest,
    moved: placesOf(meshes, THREE),
  };
}

async function vrm() {
  const { VRMLoaderPlugin, VRMMetaLoaderPlugin } = await import('@pixiv/three-vrm');
  const plugin = (parser) =>
    new VRMLoaderPlugin(parser, { metaPlugin: new VRMMetaLoaderPlugin(parser, { needThumbnailImage: false }) });
  const [gltf, THREE] = await scene((loader) => loader.register(plugin));
  const avatar = gltf.userData.vrm;
  const meshes = meshesOf(gltf.scene);
  const rest = placesOf(meshes, THREE);
  for (const [name, amount] of amounts) avatar.expressionManager.setValue(name, amount);
  const target = new THREE.Object3D();
  target.position.set(10, avatar.lookAt.getLookAtWorldPosition(new THREE.Vector3()).y, 10); // 45° to the left
  avatar.lookAt.target = target;
  avatar.update(0);
  const world = (bone) => avatar.humanoid.getRawBoneNode(bone).getWorldPosition(new THREE.Vector3()).toArray();
  const bones = Object.keys(avatar.humanoid.humanBones);
  return {
    version: avatar.meta.metaVersion,
    meta: avatar.meta,
    bones: Object.fromEntries(bones.map((bone) => [bone, world(bone)])),
    presets: Object.keys(avatar.expressionManager.presetExpressionMap),
    custom: Object.keys(avatar.expressionManager.customExpressionMap),
    look: { yaw: avatar.lookAt.yaw, eye: avatar.humanoid.getRawBoneNode('leftEye').rotation.y },
    from: avatar.lookAt.getLookAtWorldPosition(new THREE.Vector3()).toArray(),
    rest,
    moved: placesOf(meshes, THREE),
  };
}

function meshesOf(root) {
  const meshes = [];
  root.updateMatrixWorld(true);
  root.traverse((node) => node.isSkinnedMesh && meshes.push(node));
  return meshes;
}

// The lowest and highest corner of each mesh as it is drawn, by the name of its material.
function placesOf(meshes, THREE) {
  const boxes = {};
  for (const mesh of meshes) {
    mesh.updateMatrixWorld(true);
    mesh.skeleton.update();
    const box = new THREE.Box3();
    const place = new THREE.Vector3();
    for (let row = 0; row < mesh.geometry.attributes.position.count; row++)
      box.expandByPoint(mesh.localToWorld(mesh.getVertexPosition(row, place)));
    boxes[mesh.material.name] = [box.min.toArray(), box.max.toArray()];
  }
  return boxes;
}

function describe(material) {
  const { name, transparent, metalness, roughness } = material;
  const maps = ['map', 'normalMap', 'roughnessMap'].filter((map) => material[map]);
  return { name, transparent, metalness, roughness, maps, twoSided: material.side === 2 };
}
