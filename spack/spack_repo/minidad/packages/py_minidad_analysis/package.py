# SPDX-License-Identifier: BSD-3-Clause
from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMinidadAnalysis(PythonPackage):
    """Reads, draws, compares and exports the run files of minidad."""

    license("BSD-3-Clause")

    # As minidad's own recipe: Spack builds a checkout.
    version("main")

    depends_on("python@3.9:", type=("build", "run"))
    depends_on("py-setuptools@61:", type="build")
    depends_on("py-numpy@1.21:", type=("build", "run"))
    depends_on("py-h5py@3.5:", type=("build", "run"))
    depends_on("py-matplotlib@3.6:", type=("build", "run"))

    build_directory = "analysis"
