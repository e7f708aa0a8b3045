"""Write the package's own strict schemas (schemas/make.py pins it) to a folder, as kubeconform looks for them.

    standalone.py FOLDER [--wheel F]

kubeconform gets each as it is in the package, but for what says where it is: references lead to a file of the same folder,
and `$id` goes. So does `$schema`, which the schemas that kubeconform downloads do not have: it holds texts to their formats
only without one.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "schemas"))
sys.dont_write_bytecode = True
import make


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--wheel", type=pathlib.Path)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheel = make.package(options.wheel or make.download(scratch))
        for minor in make.newest(wheel):
            folder = options.folder / f"v{minor}.0-standalone-strict"
            folder.mkdir(parents=True, exist_ok=True)
            prefix = f"kubernetes_validate/kubernetes-json-schema/v{minor}.0-local-strict/"
            for name in wheel.namelist():
                if name.startswith(prefix):
                    text = wheel.read(name).decode().replace('"/api/_definitions.json#/', '"_definitions.json#/')
                    schema = json.loads(text)
                    schema.pop("$id", None)
                    schema.pop("$schema", None)
                    (folder / name.removeprefix(prefix)).write_text(json.dumps(schema))


main()
